import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { SchemaRouter, select } from 'tenantry'
import { afterEach, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'
import { AWKWARD } from './awkward-schema.js'
import { DRIFTS } from './drift.js'

const database = useDatabase()
const migrations = useMigrationFolders()
const LENDING = fileURLToPath(new URL('../../examples/lending/migrations/', import.meta.url))
const PATIENCE = { timeout: 60_000 }

interface Fleet {
  readonly prefix: string
  readonly router: SchemaRouter
}

interface PoorFleet extends Fleet {
  readonly role: string
}

async function makeFleet(tenants: MigrationFiles, ...slugs: readonly string[]): Promise<Fleet> {
  const prefix = database.prefix()
  const schemas = await migrations.fleet(prefix, { tenants })
  const router = new SchemaRouter({ pool: database.pool(), schemas })
  for (const slug of slugs) await router.tenants.create({ slug })
  return { prefix, router }
}

/** A fleet of which the router acts as a role that may do little more than read. */
async function makePoorFleet(files: MigrationFiles, rights = ''): Promise<PoorFleet> {
  const { prefix } = await makeFleet(files, 'a', 'b')
  const role = `poor_${randomBytes(4).toString('hex')}`
  const { admin, name } = database
  await admin.query(`create role ${role} ${rights}`)
  roles.push(role)
  await admin.query(`grant create on database ${name} to ${role}`)
  for (const schema of [`${prefix}a`, `${prefix}b`, `shared_${prefix}`]) {
    await admin.query(`grant usage on schema ${schema} to ${role}`)
    await admin.query(`grant select on all tables in schema ${schema} to ${role}`)
  }
  const schemas = await migrations.fleet(prefix, { tenants: files })
  const pool = database.pool({ options: `-c role=${role}` })
  return { prefix, role, router: new SchemaRouter({ pool, schemas }) }
}

/** The databases and schemas that a role has. */
async function ownedBy(role: string): Promise<readonly string[]> {
  const { rows } = await database.admin.query<{ name: string }>(
    `select datname as name from pg_database where datdba = $1::regrole
     union all select nspname from pg_namespace where nspowner = $1::regrole`,
    [role],
  )
  return rows.map(({ name }) => name)
}

/** Up to 17 the server writes `loans.state` in a view where 18 writes `state`. */
function withoutTables(line: string): string {
  return line.includes(' view ') ? line.replaceAll(/\b(?:loans|pair)\./g, '') : line
}

const roles: string[] = []

afterEach(async () => {
  for (const role of roles.splice(0)) {
    await database.admin.query(`drop owned by ${role}; drop role ${role}`)
  }
})

/** As it is often written: it looks for the name of the constraint in all schemas. */
const GUARDED: MigrationFiles = {
  '1_loans.sql': `
    create table loans (amount int);
    do $$ begin
      if not exists (select from pg_constraint where conname = 'loans_positive') then
        alter table loans add constraint loans_positive check (amount > 0);
      end if;
    end $$;`,
}

describe('migrations.verify', PATIENCE, () => {
  it('finds nothing in tenants that are what their migrations make', async () => {
    const { router } = await makeFleet(AWKWARD, 'a', 'ab', 'with-dash')
    const report = await router.migrations.verify()
    expect(report).toEqual({ findings: [], compared: 3, reference: { place: 'database' } })
  })

  it.each(DRIFTS)('finds $what', async ({ sql, lines }) => {
    const { router, prefix } = await makeFleet(AWKWARD, 'a', 'ab')
    await router.withTenant('ab', (db) => db.query(sql))
    const { findings } = await router.migrations.verify()
    const base = { schema: `${prefix}ab`, kind: 'tenant', tenant: 'ab', code: 'SCHEMA_DRIFT' }
    const found = findings.map((finding) => ({
      ...finding,
      differences: finding.differences.map(withoutTables),
    }))
    expect(found).toEqual([{ ...base, version: 6, differences: lines }])
  })

  it('finds nothing in the schemas of the example, the shared and static ones included', async () => {
    const prefix = database.prefix()
    const shared = `shared_${prefix}`
    const router = new SchemaRouter({
      pool: database.pool(),
      schemas: {
        shared: { name: shared, migrations: `${LENDING}public` },
        static: { [`main_${prefix}`]: { migrations: `${LENDING}main` } },
        tenants: { prefix, migrations: `${LENDING}tenant`, searchPath: [shared] },
      },
    })
    await router.migrations.up()
    for (const slug of ['a', 'ab']) await router.tenants.create({ slug })
    const report = await router.migrations.verify()
    expect(report).toEqual({ findings: [], compared: 4, reference: { place: 'database' } })
  })

  it('finds tenants that are all wrong alike', async () => {
    const { router, prefix } = await makeFleet(GUARDED, 'a', 'b', 'c')
    const { findings } = await router.migrations.verify()
    const differences = ['- constraint loans.loans_positive CHECK ((amount > 0))']
    expect(findings).toMatchObject([
      { schema: `${prefix}b`, differences },
      { schema: `${prefix}c`, differences },
    ])
  })

  it('compares a schema at the version that it is on', async () => {
    const prefix = database.prefix()
    const old = { '1_loans.sql': 'create table loans (amount int)' }
    const tenants = { ...old, '2_note.sql': 'alter table loans add note text' }
    const pool = database.pool()
    const fleet = async (files: MigrationFiles): Promise<SchemaRouter> =>
      new SchemaRouter({ pool, schemas: await migrations.fleet(prefix, { tenants: files }) })
    await (await fleet(old)).tenants.create({ slug: 'old' })
    const router = await fleet(tenants)
    await router.tenants.create({ slug: 'new' })
    expect((await router.migrations.verify()).findings).toEqual([])
    await router.withTenant('old', (db) => db.query('alter table loans add note text'))
    expect((await router.migrations.verify()).findings).toMatchObject([
      { tenant: 'old', version: 1, differences: ['+ column loans.note text'] },
    ])
  })

  it('says of a schema that cannot be compared why not', async () => {
    const { router, prefix } = await makeFleet(GUARDED, 'a', 'b')
    await database.admin.query(`drop schema ${prefix}a cascade`)
    await database.admin.query(`update ${prefix}b.migrations set hash = 'x' where id = 1`)
    const { findings, compared } = await router.migrations.verify()
    expect(compared).toBe(0)
    expect(findings).toMatchObject([
      { tenant: 'a', code: 'SCHEMA_MISSING', differences: [] },
      { tenant: 'b', code: 'MIGRATION_TAMPERED', differences: [] },
    ])
  })

  it('says of a ledger that is not ours, and of a static schema that was not made yet', async () => {
    const { router, prefix } = await makeFleet(GUARDED, 'a')
    await database.admin.query(
      `drop table ${prefix}a.migrations; create table ${prefix}a.migrations (step text)`,
    )
    expect((await router.migrations.verify()).findings).toMatchObject([
      { tenant: 'a', code: 'MIGRATION_UNKNOWN' },
    ])
    const main = `main_${prefix}`
    const schemas = await migrations.fleet(prefix, { main: GUARDED })
    const later = new SchemaRouter({ pool: database.pool(), schemas })
    const { findings } = await later.migrations.verify({ select: select.names(main) })
    expect(findings).toMatchObject([
      {
        schema: main,
        code: 'SCHEMA_MISSING',
        error: { message: expect.stringContaining('Run the migrations') as string },
      },
    ])
  })

  it('is not misled by a table that is called like its schema', async () => {
    const prefix = database.prefix()
    const main = `main_${prefix}`
    const sql = `create table ${main} (id int); create view v as select ${main}.id from ${main}`
    const schemas = await migrations.fleet(prefix, { main: { '1_main.sql': sql } })
    const router = new SchemaRouter({ pool: database.pool(), schemas })
    await router.migrations.up()
    expect((await router.migrations.verify()).findings).toEqual([])
  })

  it('builds the reference in a transaction where the role may not create databases', async () => {
    const { router, prefix, role } = await makePoorFleet(AWKWARD)
    expect(await router.migrations.verify()).toEqual({
      findings: [],
      compared: 2,
      reference: { place: 'transaction', reason: 'permission denied to create database' },
    })
    await database.admin.query(`alter table ${prefix}b.a add extra int`)
    expect((await router.migrations.verify()).findings).toMatchObject([
      { tenant: 'b', differences: ['+ column a.extra integer'] },
    ])
    expect(await ownedBy(role)).toEqual([])
  })

  it('leaves nothing behind, and removes what a crash has left', async () => {
    const { router, role } = await makePoorFleet(AWKWARD, 'createdb')
    const left = `tenantry_reference_1000000000_${randomBytes(4).toString('hex')}`
    await database.admin.query(`create database ${left} owner ${role}`)
    const { reference } = await router.migrations.verify()
    expect(reference).toEqual({ place: 'database' })
    expect(await ownedBy(role)).toEqual([])
  })

  it('rejects when the migrations cannot be run from the start', async () => {
    const { router } = await makeFleet({ '1_loans.sql': 'create table loans ()' }, 'a')
    const broken = new SchemaRouter({
      pool: database.pool(),
      schemas: { tenants: { prefix: 'none_', migrations: 'no/such/folder' } },
    })
    await expect(broken.migrations.verify()).rejects.toMatchObject({
      code: 'MIGRATION_SOURCE_INVALID',
    })
    expect((await router.migrations.verify()).findings).toEqual([])
  })
})

describe('migrations.up with verify', PATIENCE, () => {
  const first = { '1_loans.sql': 'create table loans (amount int)' }
  const next = { '2_fees.sql': 'create table fees ()' }

  it('reports how the schemas compare that it has brought up to date', async () => {
    const { prefix } = await makeFleet(AWKWARD, 'a', 'b')
    const router = await grown(prefix, { ...AWKWARD, '7_fees.sql': 'create table fees ()' })
    const report = await router.migrations.up({ verify: true })
    expect(report.outcomes.map(({ status }) => status)).toContain('done')
    expect(report.verified).toEqual({ findings: [], compared: 2, reference: { place: 'database' } })
    expect((await router.migrations.up()).verified).toBeUndefined()
  })

  it('rejects for a schema that differs, after each run, and what ran stays done', async () => {
    const { prefix } = await makeFleet(first, 'a', 'b')
    await database.admin.query(`alter table ${prefix}b.loans add note text`)
    const router = await grown(prefix, { ...first, ...next })
    const options = { select: select.tenants(), verify: true }
    const drift = {
      code: 'SCHEMA_DRIFT',
      message: expect.stringContaining(`${prefix}b: + column loans.note`) as string,
    }
    const findings = [{ schema: `${prefix}b`, tenant: 'b', code: 'SCHEMA_DRIFT', version: 2 }]
    await expect(router.migrations.up(options)).rejects.toMatchObject({
      ...drift,
      report: { outcomes: [{ status: 'done' }, { status: 'done' }], verified: { findings } },
    })
    await expect(router.migrations.up(options)).rejects.toMatchObject({
      ...drift,
      report: { outcomes: [{ status: 'current' }, { status: 'current' }], verified: { findings } },
    })
    const only = { select: select.names('a'), verify: true }
    expect((await router.migrations.up(only)).verified).toMatchObject({ compared: 1 })
  })

  it('compares nothing when the run has failed, or had no schema', async () => {
    const { prefix } = await makeFleet(first, 'a', 'b')
    await database.admin.query(`create table ${prefix}b.fees ()`)
    const router = await grown(prefix, { ...first, ...next })
    const error: unknown = await router.migrations
      .up({ verify: true, select: select.tenants() })
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'MIGRATION_RUN_FAILED' })
    expect(error).not.toHaveProperty('report.verified')
    const none = await router.migrations.up({ verify: true, exclude: ['*'] })
    expect(none).toMatchObject({ outcomes: [] })
    expect(none.verified).toBeUndefined()
  })

  it('compares the schemas of the run, and does not list the fleet again', async () => {
    const { prefix } = await makeFleet(first, 'a', 'b')
    const pool = database.pool()
    const asked: string[] = []
    pool.on('connect', (client) => {
      const query = client.query.bind(client)
      const noted = (text: string, values: readonly unknown[] = []): unknown => {
        if (text.includes('tenantry_tenants')) asked.push(text)
        return query(text, [...values])
      }
      Object.assign(client, { query: noted })
    })
    const schemas = await migrations.fleet(prefix, { tenants: first })
    const router = new SchemaRouter({ pool, schemas })
    const report = await router.migrations.up({ select: select.tenants(), verify: true })
    expect(report.verified).toMatchObject({ findings: [], compared: 2 })
    expect(asked).toHaveLength(1)
  })

  async function grown(prefix: string, tenants: MigrationFiles): Promise<SchemaRouter> {
    const schemas = await migrations.fleet(prefix, { tenants })
    return new SchemaRouter({ pool: database.pool(), schemas })
  }
})
