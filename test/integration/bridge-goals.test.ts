import { SchemaRouter, type SchemaRouterOptions, select } from 'tenantry'
import type { BridgeTarget, MigrationBridge } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const folders = useMigrationFolders()

/** A tool of two steps that keeps its books in a table, and says in which schemas it was at work. */
class Tool implements MigrationBridge {
  readonly kind = 'bridge'
  readonly origin = 'A tool'
  readonly visited: string[] = []

  pending(target: BridgeTarget): Promise<readonly string[]> {
    return this.#missing(target)
  }

  async up(target: BridgeTarget): Promise<readonly string[]> {
    this.visited.push(target.schema)
    const names = await this.#missing(target)
    for (const name of names) await target.client.query('insert into books values ($1)', [name])
    return names
  }

  async down({ client, schema }: BridgeTarget): Promise<readonly string[]> {
    this.visited.push(schema)
    const { rows } = await client.query<{ name: string }>(
      'delete from books where name = (select max(name) from books) returning name',
    )
    return rows.map(({ name }) => name)
  }

  async #missing({ client }: BridgeTarget): Promise<readonly string[]> {
    await client.query('create table if not exists books (name text)')
    const { rows } = await client.query<{ name: string }>('select name from books')
    return ['1_loans', '2_fees'].filter((step) => !rows.some(({ name }) => name === step))
  }
}

interface Fleet {
  readonly prefix: string
  readonly tool: Tool
  readonly router: SchemaRouter
}

/** Two tenants of a tool, beside a static schema with a set of files. */
async function setUp(): Promise<Fleet> {
  const prefix = database.prefix()
  const tool = new Tool()
  const main = await folders.folder({
    '1_users.sql': 'create table users ()',
    'down/1_users.sql': 'drop table users',
  })
  const schemas: SchemaRouterOptions['schemas'] = {
    shared: { name: `shared_${prefix}` },
    static: { [`main_${prefix}`]: { migrations: main } },
    tenants: { prefix, migrations: tool },
  }
  const router = new SchemaRouter({ pool: database.pool(), schemas })
  await router.migrations.up()
  for (const slug of ['acme', 'beta']) await router.tenants.create({ slug })
  tool.visited.length = 0
  return { prefix, tool, router }
}

const TENANTS = { select: select.tenants() }

async function versionOf({ router, prefix }: Fleet): Promise<number | undefined> {
  const statuses = await router.migrations.status()
  return statuses.find(({ schema }) => schema === `main_${prefix}`)?.version
}

describe('migrations.down with a bridge', () => {
  it('takes the newest step of each schema back, which up then does again', async () => {
    const { prefix, router } = await setUp()
    const down = await router.migrations.down(TENANTS)
    expect(down.outcomes).toMatchObject(
      ['acme', 'beta'].map((slug) => ({
        schema: `${prefix}${slug}`,
        status: 'done',
        applied: ['2_fees'],
      })),
    )
    const statuses = await router.migrations.status(TENANTS)
    expect(statuses.map(({ pending }) => pending)).toEqual([['2_fees'], ['2_fees']])
    const up = await router.migrations.up(TENANTS)
    expect(up.outcomes.map(({ applied }) => applied)).toEqual([['2_fees'], ['2_fees']])
  })

  it('takes nothing back in a schema that is at its beginning', async () => {
    const { router } = await setUp()
    for (let steps = 0; steps < 2; steps += 1) await router.migrations.down(TENANTS)
    const { outcomes } = await router.migrations.down(TENANTS)
    expect(outcomes.map(({ status }) => status)).toEqual(['current', 'current'])
  })
})

describe('migrations.plan with a bridge', () => {
  it('says what the tool has to do beside what migrations would', async () => {
    const { prefix, router } = await setUp()
    await router.migrations.down({ select: select.names(`${prefix}beta`) })
    await router.migrations.down({ select: select.names(`main_${prefix}`) })
    const plans = await router.migrations.plan()
    expect(plans.filter(({ run }) => run.length > 0)).toMatchObject([
      { schema: `main_${prefix}`, run: ['1_users.sql'], atomic: true },
      { schema: `${prefix}beta`, run: ['2_fees'], atomic: false },
    ])
    await database.admin.query(`create view ${prefix}acme.other as select 1;
      drop table ${prefix}acme.books; create view ${prefix}acme.books as select 1 as one`)
    const [broken] = await router.migrations.plan({ select: select.names(`${prefix}acme`) })
    expect(broken).toMatchObject({ run: [], problem: { code: 'MIGRATION_FAILED' } })
  })
})

describe('a goal that a bridge has no word for', () => {
  const goals: Readonly<Record<string, (router: SchemaRouter) => Promise<unknown>>> = {
    'up({ to })': ({ migrations }) => migrations.up({ to: '1_users.sql' }),
    'plan({ to })': ({ migrations }) => migrations.plan({ to: '1_users.sql' }),
    'down({ to })': ({ migrations }) => migrations.down({ to: 0 }),
    'down({ steps: 2 })': ({ migrations }) => migrations.down({ steps: 2 }),
    markApplied: ({ migrations }) => migrations.markApplied({ to: '1_users.sql' }),
  }

  it.each(Object.entries(goals))('is refused by %s before anything runs', async (_name, run) => {
    const fleet = await setUp()
    await expect(run(fleet.router)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      message: expect.stringContaining(`A tool keeps the books of schema "${fleet.prefix}acme"`),
    })
    expect(fleet.tool.visited).toEqual([])
    expect(await versionOf(fleet)).toBe(1)
  })

  it('is reached where the schemas of the bridge are left out', async () => {
    const fleet = await setUp()
    const exclude = [`${fleet.prefix}*`]
    await fleet.router.migrations.down({ select: select.static(), exclude, steps: 2 })
    expect(await versionOf(fleet)).toBe(0)
    expect(fleet.tool.visited).toEqual([])
  })
})
