import { describe, expect, it } from 'vitest'
import { type RunSettings, type WorkResult, runOver } from '../../../src/migration/run/run.js'
import { parseSchemaName } from '../../../src/names/schema-name.js'
import type { FleetSchema, SchemaKind } from '../../../src/selector/selector.js'

const schema = (name: string, kind: SchemaKind): FleetSchema => ({
  schema: parseSchemaName(name),
  kind,
})
const fleet = [
  schema('public', 'shared'),
  schema('audit', 'static'),
  schema('main', 'static'),
  schema('t_a', 'tenant'),
  schema('t_b', 'tenant'),
]
const settings: RunSettings = { concurrency: 1, maxAttempts: 3 }
const done: WorkResult = { status: 'done', applied: [] }
const deadlock = Object.assign(new Error('deadlock detected'), { code: '40P01', severity: 'ERROR' })

describe('runOver', () => {
  it('begins a kind only when the kind before it is done', async () => {
    const events: string[] = []
    await runOver(fleet, { ...settings, concurrency: 4 }, async ({ kind }) => {
      events.push(`begin ${kind}`)
      await Promise.resolve()
      events.push(`end ${kind}`)
      return done
    })
    const kinds = events.map((event) => event.split(' ')[1])
    expect(kinds).toEqual(kinds.toSorted((a, b) => order(a) - order(b)))
  })

  it('skips the later kinds after a failure, and says why', async () => {
    const { outcomes } = await runOver(fleet, settings, async ({ schema: name }) => {
      if (name === 'audit') throw new Error('broken')
      return done
    })
    expect(outcomes.map(({ schema: name, status, reason }) => [name, status, reason])).toEqual([
      ['public', 'done', undefined],
      ['audit', 'failed', undefined],
      ['main', 'done', undefined],
      ['t_a', 'skipped', 'a static schema failed before'],
      ['t_b', 'skipped', 'a static schema failed before'],
    ])
  })

  it('tries again what passes by itself, and counts the attempts', async () => {
    let attempts = 0
    const { outcomes } = await runOver(fleet.slice(0, 1), settings, async () => {
      attempts += 1
      if (attempts < 3) throw deadlock
      return done
    })
    expect(outcomes).toMatchObject([{ status: 'done', attempts: 3 }])
  })

  it('finds a passing error behind the error that explains it', async () => {
    const { outcomes } = await runOver(fleet.slice(0, 1), settings, async () => {
      throw new Error('a migration failed', { cause: deadlock })
    })
    expect(outcomes).toMatchObject([{ status: 'failed', attempts: 3 }])
  })

  it('tries once what does not pass by itself', async () => {
    const { outcomes } = await runOver(fleet.slice(0, 1), settings, async () => {
      throw Object.assign(new Error('no table'), { code: '42P01', severity: 'ERROR' })
    })
    expect(outcomes).toMatchObject([
      { status: 'failed', attempts: 1, error: { message: 'no table' } },
    ])
  })

  it('does not try again once it is stopped', async () => {
    const stop = new AbortController()
    const { outcomes } = await runOver(
      fleet.slice(0, 2),
      { ...settings, maxAttempts: 50, signal: stop.signal },
      async () => {
        stop.abort()
        throw deadlock
      },
    )
    expect(outcomes).toMatchObject([
      { schema: 'public', status: 'failed', attempts: 1 },
      { schema: 'audit', status: 'skipped' },
    ])
  })

  it('begins nothing after it is stopped, finishes what runs, and is no failure', async () => {
    const stop = new AbortController()
    const { outcomes } = await runOver(
      fleet,
      { ...settings, signal: stop.signal },
      async ({ schema: name }) => {
        if (name === 'audit') stop.abort()
        return done
      },
    )
    expect(outcomes.map(({ status, reason }) => [status, reason])).toEqual([
      ['done', undefined],
      ['done', undefined],
      ['skipped', 'the run was stopped'],
      ['skipped', 'the run was stopped'],
      ['skipped', 'the run was stopped'],
    ])
  })

  it('tells of each outcome once, also of what is skipped', async () => {
    const told: string[] = []
    const { outcomes } = await runOver(
      fleet,
      { ...settings, onOutcome: (outcome) => told.push(outcome.schema) },
      async () => {
        throw new Error('broken')
      },
    )
    expect(told).toEqual(fleet.map(({ schema: name }) => name))
    expect(outcomes.map(({ status }) => status)).toEqual([
      'failed',
      'skipped',
      'skipped',
      'skipped',
      'skipped',
    ])
  })

  it('makes an error of whatever is thrown', async () => {
    const { outcomes } = await runOver(fleet.slice(0, 1), settings, () =>
      // oxlint-disable-next-line prefer-promise-reject-errors
      Promise.reject('just a text'),
    )
    expect(outcomes[0]?.error).toEqual(new Error('just a text'))
  })

  it('has nothing to say about no schema', async () => {
    expect((await runOver([], settings, async () => done)).outcomes).toEqual([])
  })
})

function order(kind: string | undefined): number {
  return ['shared', 'static', 'tenant'].indexOf(kind ?? '')
}
