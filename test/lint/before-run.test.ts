import {
  type DownOptions,
  type RunEvent,
  SchemaRouter,
  type UpOptions,
  isTenantryError,
  select,
} from 'tenantry'
import type { LintFinding } from 'tenantry/migrate'
import { describe, expect, it, vi } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type FleetFiles, useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const parser = vi.hoisted(() => ({ missing: false, texts: [] as string[] }))

/** The parser itself, but for a machine that does not have it; what it reads is written down. */
vi.mock('libpg-query', async (original) => {
  const real = await original<typeof import('libpg-query')>()
  return {
    ...real,
    loadModule: async () => {
      if (parser.missing) throw new Error("Cannot find package 'libpg-query'")
      await real.loadModule()
    },
    parseSync: (sql: string) => {
      parser.texts.push(sql)
      return real.parseSync(sql)
    },
  }
})

const LOANS = { '1_loans.sql': 'create table loans (id int)' }
const ESCAPE = '\ncreate table public.notes (note text)'
const WARNED = 'drop table loans cascade'

interface Setup {
  readonly prefix: string
  readonly events: RunEvent[]
  up(files: FleetFiles, options?: UpOptions): Promise<unknown>
  down(files: FleetFiles, options?: DownOptions): Promise<unknown>
}

/** Two tenants with the table `loans`; the runs answer their error, if there is one. */
async function setUp(): Promise<Setup> {
  parser.missing = false
  parser.texts = []
  const prefix = database.prefix()
  const events: RunEvent[] = []
  const onEvent = (event: RunEvent): void => void events.push(event)
  const routerOf = async (files: FleetFiles): Promise<SchemaRouter> =>
    new SchemaRouter({ pool: database.pool(), schemas: await migrations.fleet(prefix, files) })
  const first = await routerOf({ tenants: LOANS })
  for (const slug of ['acme', 'beta']) await first.tenants.create({ slug })
  return {
    prefix,
    events,
    up: async (files, options) =>
      (await routerOf(files)).migrations
        .up({ onEvent, ...options })
        .catch((error: unknown) => error),
    down: async (files, options) =>
      (await routerOf(files)).migrations
        .down({ select: select.tenants(), onEvent, ...options })
        .catch((error: unknown) => error),
  }
}

const findings = (events: readonly RunEvent[]): readonly LintFinding[] =>
  events.flatMap((event) => (event.type === 'finding' ? [event.finding] : []))

const begun = (events: readonly RunEvent[]): boolean =>
  events.some(({ type }) => type === 'started')

async function exists(name: string): Promise<boolean> {
  const { rows } = await database.admin.query('select to_regclass($1) is not null as found', [name])
  return rows[0].found as boolean
}

describe('a run whose migrations have an error for the linter', () => {
  it('changes nothing anywhere, and carries what was found', async () => {
    const { prefix, up, events } = await setUp()
    const error = await up({
      shared: { '1_rates.sql': 'create table rates ()' },
      tenants: { ...LOANS, '2_notes.sql': ESCAPE, '3_drop.sql': WARNED },
    })
    expect(error).toMatchObject({
      code: 'LINT_FAILED',
      migration: '2_notes.sql',
      file: expect.stringMatching(/\/2_notes\.sql$/) as string,
      line: 2,
      message: expect.stringContaining('qualified-name') as string,
      findings: [
        { rule: 'qualified-name', level: 'error', migration: '2_notes.sql', line: 2 },
        { rule: 'drop-cascade', level: 'warning', migration: '3_drop.sql' },
      ],
    })
    expect(findings(events)).toHaveLength(2)
    expect(begun(events)).toBe(false)
    expect(await exists(`shared_${prefix}.rates`)).toBe(false)
    expect(await exists('public.notes')).toBe(false)
  })

  it('says how many errors there are', async () => {
    const { up } = await setUp()
    const tenants = {
      ...LOANS,
      '2_notes.sql': ESCAPE,
      '3_more.sql': ESCAPE.replace('notes', 'more'),
    }
    expect(await up({ tenants })).toMatchObject({
      code: 'LINT_FAILED',
      message: expect.stringContaining('The linter found 2 errors in the ') as string,
    })
  })

  it('does not even make the registry', async () => {
    const prefix = database.prefix()
    const schemas = await migrations.fleet(prefix, {
      main: { '1_users.sql': 'create tabel users' },
    })
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    await expect(router.migrations.up()).rejects.toMatchObject({ code: 'LINT_FAILED' })
    const { rows } = await database.admin.query('select from pg_namespace where nspname ~ $1', [
      prefix,
    ])
    expect(rows).toEqual([])
  })

  it('only says so with warn, and is not looked at with false', async () => {
    const { up, events } = await setUp()
    const files = { tenants: { ...LOANS, '2_odd.sql': 'set search_path to public' } }
    expect(await up(files, { lint: 'warn', select: select.names('acme') })).toMatchObject({
      outcomes: [{ status: 'done' }],
    })
    expect(findings(events)).toMatchObject([{ rule: 'set-search-path', level: 'error' }])
    events.length = 0
    parser.texts = []
    await up(files, { lint: false, select: select.names('beta') })
    expect(findings(events)).toEqual([])
    expect(parser.texts).toEqual([])
  })

  it('goes on where a comment in the file says that it is meant', async () => {
    const { up } = await setUp()
    const sql = `-- tenantry-lint-disable qualified-name -- shared by all${ESCAPE}`
    // The guard is of another mind.
    expect(await up({ tenants: { ...LOANS, '2_notes.sql': sql } })).toMatchObject({
      code: 'MIGRATION_RUN_FAILED',
    })
  })

  it('may name the schemas that the guard allows', async () => {
    const { prefix, up } = await setUp()
    await database.admin.query(`create schema reports_${prefix}`)
    const sql = `create table if not exists reports_${prefix}.totals (total int)`
    const files = { tenants: { ...LOANS, '2_totals.sql': sql } }
    expect(await up(files)).toMatchObject({ code: 'LINT_FAILED' })
    // One at a time: IF NOT EXISTS does not see what another transaction is about to make.
    const allowed = { guard: { allow: [`reports_${prefix}`] }, concurrency: 1 }
    expect(await up(files, allowed)).not.toBeInstanceOf(Error)
  })

  it('stops a way back by what is wrong in the reverse, not in the migration', async () => {
    const { up, down, events } = await setUp()
    const forth = { ...LOANS, '2_notes.sql': 'create table notes ()' }
    const back = { ...forth, 'down/2_notes.sql': '\n\ndrop table public.notes' }
    expect(await up({ tenants: back })).not.toBeInstanceOf(Error)
    expect(findings(events)).toEqual([])
    expect(await down({ tenants: back })).toMatchObject({
      code: 'LINT_FAILED',
      file: expect.stringMatching(/\/down\/2_notes\.sql$/) as string,
      line: 3,
    })
  })

  it('is judged in the shared schema only by what PostgreSQL refuses', async () => {
    const { prefix, up, events } = await setUp()
    const shared = {
      '1_wide.sql': `create table shared_${prefix}.rates (); drop role if exists nobody`,
    }
    expect(await up({ shared, tenants: LOANS })).not.toBeInstanceOf(Error)
    expect(findings(events)).toEqual([])
    const broken = { ...shared, '2_rates.sql': 'create tabel rates' }
    expect(await up({ shared: broken, tenants: LOANS })).toMatchObject({
      code: 'LINT_FAILED',
      findings: [{ rule: 'syntax-error' }],
    })
  })

  it('may name its own schema in a static one', async () => {
    const { prefix, up } = await setUp()
    const main = { '1_users.sql': `create table main_${prefix}.users ()` }
    expect(await up({ main, tenants: LOANS })).not.toBeInstanceOf(Error)
    const other = { ...main, '2_notes.sql': ESCAPE }
    expect(await up({ main: other, tenants: LOANS })).toMatchObject({ code: 'LINT_FAILED' })
  })
})

describe('the linter before a run', () => {
  it('reads what some schema still needs, once, and nothing when nothing is pending', async () => {
    const { up } = await setUp()
    const two = { ...LOANS, '2_notes.sql': 'create table notes (two int)' }
    await up({ tenants: two }, { select: select.names('acme') })
    parser.texts = []
    const three = { tenants: { ...two, '3_fees.sql': 'create table fees (three int)' } }
    await up(three)
    expect(parser.texts.toSorted()).toEqual([three.tenants['3_fees.sql'], two['2_notes.sql']])
    parser.texts = []
    parser.missing = true
    await up(three, { lint: 'error' })
    expect(parser.texts).toEqual([])
  })

  it('reads no more than the run is to do', async () => {
    const { up } = await setUp()
    const files = { ...LOANS, '2_fees.sql': 'create table fees ()', '3_notes.sql': ESCAPE }
    expect(await up({ tenants: files }, { to: '2_fees.sql' })).not.toBeInstanceOf(Error)
  })

  it('says once that it has no parser, and lets the run go on', async () => {
    const { up, events } = await setUp()
    parser.missing = true
    const files = { tenants: { ...LOANS, '2_fees.sql': 'create table fees ()' } }
    expect(await up(files)).toMatchObject({ outcomes: [{}, {}, { status: 'done' }, {}] })
    const unchecked = events.filter(({ type }) => type === 'unchecked')
    expect(unchecked).toMatchObject([{ error: { code: 'LINT_PARSER_MISSING' } }])
  })

  it('fails for want of a parser where it was asked for by name', async () => {
    const { up, events } = await setUp()
    parser.missing = true
    const files = { tenants: { ...LOANS, '2_fees.sql': 'create table fees ()' } }
    const error = await up(files, { lint: 'error' })
    expect(isTenantryError(error, 'LINT_PARSER_MISSING')).toBe(true)
    expect(begun(events)).toBe(false)
  })

  it('refuses a mode that it does not have', async () => {
    const { up } = await setUp()
    // @ts-expect-error A caller in JavaScript may write this.
    expect(await up({ tenants: LOANS }, { lint: 'warning' })).toMatchObject({
      code: 'OPTIONS_INVALID',
      option: 'lint',
    })
  })
})
