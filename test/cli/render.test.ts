import { CommanderError } from 'commander'
import pc from 'picocolors'
import { type RunEvent, type SchemaOutcome, TenantryError } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { exitCodeOf } from '../../src/cli/exit-code.js'
import { Board } from '../../src/cli/live/board.js'
import { doctorLines } from '../../src/cli/render/doctor.js'
import { errorJson, errorLine } from '../../src/cli/render/error.js'
import { eventJson } from '../../src/cli/render/event.js'
import { findingLine } from '../../src/cli/render/finding.js'
import { eventLine, outcomeLine } from '../../src/cli/render/outcome.js'
import { verifyJson, verifyLines } from '../../src/cli/render/verify.js'

const plain = pc.createColors(false)
const DONE: SchemaOutcome = {
  schema: 'tenant_a',
  kind: 'tenant',
  status: 'done',
  applied: ['1_loans.sql'],
  attempts: 1,
  durationMs: 1.5,
}

describe('an error', () => {
  it('is its code and a sentence, whatever was thrown', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED ::1:5432'), {
      code: 'ECONNREFUSED',
    })
    expect(errorLine('no')).toBe('UNEXPECTED: no')
    expect(errorLine(new Error('a\n  b'))).toBe('UNEXPECTED: a b')
    expect(errorLine(new CommanderError(1, 'x', 'error: unknown option'))).toBe(
      'OPTIONS_INVALID: unknown option',
    )
    expect(errorLine(refused)).toMatch(/^ECONNREFUSED: .* Check the URL of the database\.$/)
    // What Node throws where it has tried both addresses of localhost.
    const both = Object.assign(new AggregateError([refused, refused]), { code: 'ECONNREFUSED' })
    expect(errorJson(both)).toMatchObject({
      code: 'ECONNREFUSED',
      message: expect.stringMatching(/::1:5432.*::1:5432/) as string,
    })
    expect(errorLine(new AggregateError([], 'told'))).toBe('UNEXPECTED: told')
  })

  it('has an exit code', () => {
    const lock = Object.assign(new Error('canceling statement'), { code: '55P03' })
    const run = (...errors: readonly Error[]): TenantryError => {
      const outcomes = errors.map((error) => ({ ...DONE, status: 'failed', error }) as const)
      return new TenantryError('RUN_FAILED', 'failed', { report: { outcomes, durationMs: 1 } })
    }
    const codes: readonly (readonly [unknown, number])[] = [
      ['no', 1],
      [new Error('no'), 1],
      [lock, 4],
      [new TenantryError('MIGRATION_FAILED', 'failed', { sqlState: '55P03' }), 4],
      [new TenantryError('TENANT_BUSY', 'busy'), 4],
      [new TenantryError('BACKUP_BUSY', 'busy'), 4],
      [new TenantryError('SCHEMA_DRIFT', 'differs'), 3],
      [new TenantryError('NAME_INVALID', 'no name'), 2],
      [new CommanderError(0, 'commander.help', ''), 0],
      [run(lock, lock), 4],
      [run(lock, new Error('no')), 1],
      [run(), 1],
    ]
    expect(codes.map(([error]) => exitCodeOf(error))).toEqual(codes.map(([, code]) => code))
  })
})

describe('a run', () => {
  const retried: RunEvent = {
    type: 'retried',
    schema: 'tenant_a',
    attempt: 1,
    waitMs: 40,
    error: new Error('deadlock'),
  }
  const finding = {
    rule: 'drop-schema',
    level: 'warning',
    file: '/work/migrations/1_a.sql',
    migration: '1_a.sql',
    line: 3,
    message: 'No.',
  } as const

  it('tells of each schema in a line', () => {
    const lineOf = (outcome: Partial<SchemaOutcome>): string =>
      outcomeLine({ ...DONE, ...outcome }, plain, 'migrated').replace(/ +/, ' ')
    expect(lineOf({})).toBe('tenant_a migrated  1 migration  2 ms')
    expect(lineOf({ status: 'skipped', reason: 'it was deleted' })).toBe(
      'tenant_a skipped  it was deleted',
    )
    expect(lineOf({ status: 'failed', error: new Error('no') })).toBe(
      'tenant_a failed  UNEXPECTED: no',
    )
    expect(lineOf({ notAtomic: ['1_loans.sql'] })).toContain('not atomic: 1_loans.sql')
    expect(eventLine(retried, plain)).toMatch(/again in 40 ms {2}UNEXPECTED: deadlock$/)
    expect(eventLine({ type: 'selected', schemas: 1 }, plain)).toBeUndefined()
  })

  it('is a document for each event', () => {
    const error = { code: 'UNEXPECTED', message: 'deadlock' }
    expect(eventJson(retried)).toMatchObject({ type: 'retried', error })
    expect(eventJson({ type: 'unchecked', error: new Error('deadlock') })).toEqual({
      type: 'unchecked',
      error,
    })
    expect(eventJson({ type: 'finding', finding })).toEqual({ type: 'finding', finding })
    const failed = { ...DONE, status: 'failed', error: new Error('deadlock') } as const
    expect(eventJson({ type: 'finished', schema: 'tenant_a', outcome: failed })).toMatchObject({
      outcome: { durationMs: 2, error },
    })
  })

  it('names the place of a finding without a column, too', () => {
    expect(findingLine(finding, '/work', plain)).toBe(
      'migrations/1_a.sql:3 warning drop-schema: No.',
    )
    expect(findingLine({ ...finding, column: 7 }, '/work', plain)).toContain('1_a.sql:3:7 ')
  })

  it('is drawn with a line for each worker, which keeps it when it begins again', () => {
    const board = new Board(0)
    const size = { columns: 60, rows: 10 }
    const started = (schema: string, attempt: number): RunEvent => ({
      type: 'started',
      schema,
      attempt,
    })
    board.hear({ type: 'selected', schemas: 2 }, 0)
    board.hear(started('tenant_a', 1), 0)
    board.hear(started('tenant_b', 1), 0)
    board.hear(started('tenant_a', 2), 1000)
    const [first = '', second = '', bar = ''] = board.lines(2000, size, plain)
    expect(first).toMatch(/^› tenant_a .*, attempt 2$/)
    expect(second).toMatch(/^› tenant_b /)
    expect(bar).toContain('0/2')
  })
})

describe('what verify has found', () => {
  const broken = new TenantryError('SCHEMA_MISSING', 'Schema "tenant_b" does not exist.')
  const report = {
    compared: 2,
    reference: { place: 'transaction', reason: 'no right to make a database' },
    findings: [
      {
        schema: 'tenant_a',
        kind: 'tenant',
        tenant: 'a',
        version: 1,
        code: 'SCHEMA_DRIFT',
        differences: ['- table a', '+ table b', '~ table c'],
      },
      {
        schema: 'tenant_b',
        kind: 'tenant',
        tenant: 'b',
        version: 0,
        code: 'SCHEMA_MISSING',
        differences: [],
        error: broken,
      },
    ],
  } as const

  it('is said with why it could not be looked at alone', () => {
    expect(verifyLines(report, plain)).toEqual([
      'tenant_a differs from its migrations up to 1:',
      '  - table a',
      '  + table b',
      '  ~ table c',
      'tenant_b SCHEMA_MISSING: Schema "tenant_b" does not exist.',
      'The reference was built beside the schemas, not alone: no right to make a database',
      '3 schemas: 1 as migrated, 1 with drift, 1 not compared',
    ])
    expect(verifyJson(report)).toMatchObject({
      findings: [{ tenant: 'a' }, { tenant: 'b', error: { code: 'SCHEMA_MISSING' } }],
    })
  })
})

describe('what the doctor has found', () => {
  it('is cut where it is long', () => {
    const names = Array.from({ length: 12 }, (_, at) => `tenant_${at}`)
    const details = Array.from({ length: 23 }, (_, at) => `detail ${at}`)
    const lines = doctorLines(
      [
        {
          check: 'drift',
          level: 'drift',
          message: 'these differ',
          names,
          details,
          advice: 'Look.',
        },
      ],
      plain,
    )
    expect(lines[0]).toMatch(/tenant_9 and 2 more$/)
    expect(lines.filter((line) => line.includes('detail'))).toHaveLength(20)
    expect(lines).toContain(`${' '.repeat(9)}and 3 more`)
    expect(lines.at(-1)).toBe('1 check: 1 to bring up to date')
  })
})
