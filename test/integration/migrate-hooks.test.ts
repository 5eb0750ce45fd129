import { SchemaRouter, type MigrateHook, type TenantHooks, isTenantryError, select } from 'tenantry'
import type { MigrationBridge } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const LOANS = { '1_create_loans.sql': 'create table loans (id int)' }
const FEES = { '2_create_fees.sql': 'create table fees (id int)' }
const INDEX = { '3_index_loans.sql': 'create index concurrently loans_by_id on loans (id)' }
const TENANTS = { select: select.tenants() }

interface Fleet {
  readonly prefix: string
  /** A router of the same fleet, with more migrations and with hooks. */
  open(files: MigrationFiles | MigrationBridge, hooks: TenantHooks): Promise<SchemaRouter>
  has(name: string): Promise<boolean>
}

/** A fleet whose tenants have had the first migration. */
async function fleetOf(...slugs: readonly string[]): Promise<Fleet> {
  const prefix = database.prefix()
  const shared = { name: `shared_${prefix}` }
  const open: Fleet['open'] = async (files, hooks) =>
    new SchemaRouter({
      pool: database.pool({ max: 4 }),
      schemas: {
        shared,
        tenants: {
          prefix,
          migrations: isBridge(files) ? files : await migrations.folder(files),
          searchPath: [shared.name],
        },
      },
      hooks,
    })
  const router = await open(LOANS, {})
  for (const slug of slugs) await router.tenants.create({ slug })
  const has = async (name: string): Promise<boolean> => {
    const { rows } = await database.admin.query<{ found: boolean }>(
      'select to_regclass($1) is not null as found',
      [name],
    )
    return rows[0]?.found === true
  }
  return { prefix, open, has }
}

function isBridge(files: MigrationFiles | MigrationBridge): files is MigrationBridge {
  return files['kind'] === 'bridge'
}

/** Hooks that write down when they were called, and whether the table of a name was there. */
function noting(table: string): { readonly told: string[]; readonly hooks: TenantHooks } {
  const told: string[] = []
  const note =
    (turn: string): MigrateHook =>
    async ({ tenant, schema, direction, db }) => {
      const { rows } = await db.query<{ found: boolean }>(
        `select to_regclass('${table}') is not null as found`,
      )
      const found = rows[0]?.found === true ? 'with' : 'without'
      told.push(`${turn} ${direction} ${tenant?.slug ?? schema} ${found}`)
    }
  return { told, hooks: { beforeMigrate: note('before'), afterMigrate: note('after') } }
}

async function outcomesOf(running: Promise<unknown>): Promise<unknown> {
  const error = await running.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isTenantryError(error, 'MIGRATION_RUN_FAILED')) throw error
  return (error.report as { readonly outcomes: unknown }).outcomes
}

const fail = async (): Promise<never> => {
  throw new Error('no, says the hook')
}

describe('hooks of a run', () => {
  it('are called for each schema that has something to do, in its schema, and for no other', async () => {
    const { open } = await fleetOf('acme', 'beta')
    const { told, hooks } = noting('fees')
    const router = await open({ ...LOANS, ...FEES }, hooks)
    await router.migrations.up({ select: select.names('acme') })
    expect(told).toEqual(['before up acme without', 'after up acme with'])
    await router.migrations.up()
    expect(told.slice(2)).toEqual(['before up beta without', 'after up beta with'])
    await router.migrations.up()
    expect(told).toHaveLength(4)
  })

  it('are called for the shared schema and static ones, which have no tenant', async () => {
    const prefix = database.prefix()
    const schemas = await migrations.fleet(prefix, { shared: LOANS, main: LOANS })
    const seen: unknown[] = []
    const router = new SchemaRouter({
      pool: database.pool(),
      schemas,
      hooks: { afterMigrate: ({ kind, schema, tenant }) => void seen.push([kind, schema, tenant]) },
    })
    await router.migrations.up()
    expect(seen).toEqual([
      ['shared', `shared_${prefix}`, undefined],
      ['static', `main_${prefix}`, undefined],
    ])
  })

  it('are told when migrations are taken back and run again', async () => {
    const { open } = await fleetOf('acme')
    const { told, hooks } = noting('loans')
    const down = { 'down/1_create_loans.sql': 'drop table loans' }
    const router = await open({ ...LOANS, ...down }, hooks)
    await router.migrations.redo(TENANTS)
    expect(told).toEqual([
      'before down acme with',
      'after down acme without',
      'before up acme without',
      'after up acme with',
    ])
  })

  it('are called when an undeleted tenant has missed something', async () => {
    const { open } = await fleetOf('acme', 'beta')
    const { told, hooks } = noting('fees')
    await (await open(LOANS, {})).tenants.delete('acme')
    const router = await open({ ...LOANS, ...FEES }, hooks)
    await router.tenants.undelete('acme')
    await (await open(LOANS, {})).tenants.delete('acme')
    await router.tenants.undelete('acme')
    expect(told).toEqual(['before up acme without', 'after up acme with'])
  })

  it('are not called where migrations are only marked as done', async () => {
    const { open } = await fleetOf('acme')
    const router = await open({ ...LOANS, ...FEES }, { beforeMigrate: fail, afterMigrate: fail })
    const { outcomes } = await router.migrations.markApplied({ ...TENANTS, to: 2 })
    expect(outcomes).toMatchObject([{ status: 'done' }])
  })

  it.each(['beforeMigrate', 'afterMigrate'] as const)(
    'fail their own schema, and leave it as it was, when %s throws',
    async (name) => {
      const { open, prefix, has } = await fleetOf('acme', 'beta')
      const hook: MigrateHook = async ({ tenant, db }) => {
        await db.query('insert into loans values (1)')
        if (tenant?.slug === 'acme') await fail()
      }
      const router = await open({ ...LOANS, ...FEES }, { [name]: hook })
      expect(await outcomesOf(router.migrations.up(TENANTS))).toMatchObject([
        {
          status: 'failed',
          applied: [],
          error: {
            code: 'HOOK_FAILED',
            option: `hooks.${name}`,
            schema: `${prefix}acme`,
            tenant: 'acme',
            cause: { message: 'no, says the hook' },
          },
        },
        { status: 'done', applied: ['2_create_fees.sql'] },
      ])
      expect([await has(`${prefix}acme.fees`), await has(`${prefix}beta.fees`)]).toEqual([
        false,
        true,
      ])
      const { rows } = await database.admin.query(
        `select (select count(*)::int from ${prefix}acme.loans) as acme,
           (select count(*)::int from ${prefix}beta.loans) as beta`,
      )
      expect(rows).toEqual([{ acme: 0, beta: 1 }])
    },
  )

  it('cannot end the transaction of a schema', async () => {
    const { open, prefix, has } = await fleetOf('acme')
    const router = await open(
      { ...LOANS, ...FEES },
      { afterMigrate: ({ db }) => db.query('commit') },
    )
    expect(await outcomesOf(router.migrations.up(TENANTS))).toMatchObject([
      { status: 'failed', error: { code: 'HOOK_FAILED', cause: { code: 'STATEMENT_REFUSED' } } },
    ])
    expect(await has(`${prefix}acme.fees`)).toBe(false)
  })

  it('may write to what all tenants share, where a migration may not', async () => {
    const { open, prefix } = await fleetOf('acme')
    await database.admin.query(`create table shared_${prefix}.runs (turn text)`)
    const note =
      (turn: string): MigrateHook =>
      ({ db }) =>
        db.query('insert into runs values ($1)', [turn])
    const hooks = { beforeMigrate: note('before'), afterMigrate: note('after') }
    await (await open({ ...LOANS, ...FEES }, hooks)).migrations.up(TENANTS)
    const { rows } = await database.admin.query(`select turn from shared_${prefix}.runs`)
    expect(rows).toEqual([{ turn: 'before' }, { turn: 'after' }])
    const bad = { '3_note.sql': `create index on shared_${prefix}.runs (turn)` }
    const strict = await open({ ...LOANS, ...FEES, ...bad }, hooks)
    expect(await outcomesOf(strict.migrations.up({ ...TENANTS, lint: false }))).toMatchObject([
      { status: 'failed', error: { code: 'MIGRATION_ESCAPED' } },
    ])
  })

  it('are tried again with their schema when their failure passes by itself', async () => {
    const { open } = await fleetOf('acme')
    let calls = 0
    const router = await open(
      { ...LOANS, ...FEES },
      {
        beforeMigrate: ({ db }) => {
          calls += 1
          const state = calls === 1 ? '40001' : '00000'
          return calls === 1
            ? db.query(`do $$ begin raise 'again' using errcode = '${state}'; end $$`)
            : undefined
        },
      },
    )
    const { outcomes } = await router.migrations.up(TENANTS)
    expect(outcomes).toMatchObject([{ status: 'done', attempts: 2 }])
    expect(calls).toBe(2)
  })
})

describe('hooks of a schema whose migrations are several transactions', () => {
  it('are called once, before the first of them and after the last', async () => {
    const { open } = await fleetOf('acme')
    const { told, hooks } = noting('loans_by_id')
    const router = await open({ ...LOANS, ...FEES, ...INDEX }, hooks)
    const { outcomes } = await router.migrations.up(TENANTS)
    expect(outcomes).toMatchObject([{ status: 'done', atomic: false }])
    expect(told).toEqual(['before up acme without', 'after up acme with'])
  })

  it('are called once where each migration is committed by itself', async () => {
    const { open } = await fleetOf('acme')
    const { told, hooks } = noting('rates')
    const rates = { '3_create_rates.sql': 'create table rates (id int)' }
    const router = await open({ ...LOANS, ...FEES, ...rates }, hooks)
    await router.migrations.up({ ...TENANTS, atomicity: 'migration' })
    expect(told).toEqual(['before up acme without', 'after up acme with'])
  })

  it('say what stays when the last one throws', async () => {
    const { open, prefix, has } = await fleetOf('acme')
    const router = await open({ ...LOANS, ...FEES, ...INDEX }, { afterMigrate: fail })
    expect(await outcomesOf(router.migrations.up(TENANTS))).toMatchObject([
      {
        status: 'failed',
        applied: ['2_create_fees.sql', '3_index_loans.sql'],
        atomic: false,
        error: {
          code: 'HOOK_FAILED',
          message: expect.stringContaining('2_create_fees.sql') as string,
        },
      },
    ])
    expect(await has(`${prefix}acme.loans_by_id`)).toBe(true)
  })

  it('call the last one again, but not the first, when it fails by itself', async () => {
    const { open } = await fleetOf('acme')
    const calls: string[] = []
    const router = await open(
      { ...LOANS, ...INDEX_ONLY },
      {
        beforeMigrate: () => void calls.push('before'),
        afterMigrate: async ({ db }) => {
          calls.push('after')
          if (calls.length > 2) return
          await db.query(`do $$ begin raise 'again' using errcode = '40001'; end $$`)
        },
      },
    )
    const { outcomes } = await router.migrations.up(TENANTS)
    expect(outcomes).toMatchObject([
      { status: 'done', applied: ['2_index_loans.sql'], attempts: 2 },
    ])
    expect(calls).toEqual(['before', 'after', 'after'])
  })
})

const INDEX_ONLY = { '2_index_loans.sql': INDEX['3_index_loans.sql'] }

/** A tool with one step, which makes the table `fees`. */
const tool: MigrationBridge = {
  kind: 'bridge',
  origin: 'A tool',
  pending: async ({ client }) => {
    const { rows } = await client.query<{ fees: string | null }>(
      `select to_regclass('fees') as fees`,
    )
    return rows[0]?.fees == null ? ['fees'] : []
  },
  up: async ({ client }) => {
    const { rows } = await client.query<{ fees: string | null }>(
      `select to_regclass('fees') as fees`,
    )
    if (rows[0]?.fees != null) return []
    await client.query('create table fees ()')
    return ['fees']
  },
  down: async ({ client }) => {
    await client.query('drop table fees')
    return ['fees']
  },
}

describe('hooks where another tool migrates', () => {
  it('are called around the tool, for schemas that it has something to do in', async () => {
    const { open } = await fleetOf('acme', 'beta')
    const { told, hooks } = noting('fees')
    const router = await open(tool, hooks)
    await router.migrations.up({ ...TENANTS, concurrency: 1 })
    await router.migrations.up(TENANTS)
    await router.migrations.down({ select: select.names('acme') })
    expect(told).toEqual([
      'before up acme without',
      'after up acme with',
      'before up beta without',
      'after up beta with',
      'before down acme with',
      'after down acme without',
    ])
  })

  it('keep the tool from its work when the first one throws', async () => {
    const { open, prefix, has } = await fleetOf('acme')
    const router = await open(tool, { beforeMigrate: fail })
    expect(await outcomesOf(router.migrations.up(TENANTS))).toMatchObject([
      { status: 'failed', applied: [], error: { code: 'HOOK_FAILED' } },
    ])
    expect(await has(`${prefix}acme.fees`)).toBe(false)
  })

  it('say that the tool’s work stays when the last one throws', async () => {
    const { open, prefix, has } = await fleetOf('acme')
    const router = await open(tool, { afterMigrate: fail })
    expect(await outcomesOf(router.migrations.up(TENANTS))).toMatchObject([
      { status: 'failed', applied: ['fees'], atomic: false, error: { code: 'HOOK_FAILED' } },
    ])
    expect(await has(`${prefix}acme.fees`)).toBe(true)
  })

  it('are all called when a tenant is created, and take everything back when one throws', async () => {
    const { open, prefix, has } = await fleetOf()
    const { told, hooks } = noting('fees')
    await (await open(tool, hooks)).tenants.create({ slug: 'acme' })
    expect(told).toEqual(['before up acme without', 'after up acme with'])
    for (const name of ['beforeCreate', 'beforeMigrate', 'afterMigrate', 'afterCreate'] as const) {
      const router = await open(tool, { [name]: fail })
      await expect(router.tenants.create({ slug: 'beta' })).rejects.toMatchObject({
        code: 'HOOK_FAILED',
        option: `hooks.${name}`,
      })
      expect(await router.tenants.find('beta')).toBeUndefined()
      expect(await has(`${prefix}beta.fees`)).toBe(false)
    }
  })
})
