import { type RunReport, SchemaRouter, type Selector, select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

interface Choice {
  readonly select: Selector
  readonly exclude: readonly string[]
}

const namesIn = ({ outcomes }: RunReport): readonly string[] => outcomes.map(({ schema }) => schema)

/** What takes a selector, and the schemas that it was then about. */
const COMMANDS: Readonly<
  Record<string, (router: SchemaRouter, choice: Choice) => Promise<readonly string[]>>
> = {
  whoWill: (router, { select: selector, exclude }) => router.whoWill(selector, { exclude }),
  each: async (router, { select: selector, exclude }) =>
    namesIn(await router.each(selector, async () => {}, { exclude })),
  up: async (router, choice) => namesIn(await router.migrations.up(choice)),
  down: async (router, choice) => namesIn(await router.migrations.down(choice)),
  redo: async (router, choice) => namesIn(await router.migrations.redo(choice)),
  markApplied: async (router, choice) =>
    namesIn(await router.migrations.markApplied({ ...choice, to: 2 })),
  plan: async (router, choice) =>
    (await router.migrations.plan(choice)).map(({ schema }) => schema),
  status: async (router, choice) =>
    (await router.migrations.status(choice)).map(({ schema }) => schema),
  statuses: async (router, choice) => {
    const seen: string[] = []
    for await (const { schema } of router.migrations.statuses(choice)) seen.push(schema)
    return seen
  },
  verify: async (router, choice) => {
    const { findings } = await router.migrations.verify(choice)
    return findings.map(({ schema }) => schema)
  },
}

describe('what is excluded', () => {
  it.each(Object.entries(COMMANDS))(
    'is left alone by %s, also where it is selected by its name',
    async (_name, command) => {
      const prefix = database.prefix()
      const first = {
        '1_loans.sql': 'create table loans ()',
        'down/1_loans.sql': 'drop table loans',
      }
      const old = await migrations.fleet(prefix, { tenants: first })
      const before = new SchemaRouter({ pool: database.pool(), schemas: old })
      for (const slug of ['acme', 'beta']) await before.tenants.create({ slug })
      // So that both differ from what their migrations make.
      await database.admin.query(
        `alter table ${prefix}acme.loans add odd int; alter table ${prefix}beta.loans add odd int`,
      )
      const tenants = { ...first, '2_fees.sql': 'create table fees ()' }
      const schemas = await migrations.fleet(prefix, { tenants })
      const router = new SchemaRouter({ pool: database.pool(), schemas })
      const choice = { select: select.names('acme', 'beta'), exclude: ['acme'] }
      expect(await command(router, choice)).toEqual([`${prefix}beta`])
      const { rows } = await database.admin.query(
        `select (select count(*)::int from ${prefix}acme.migrations) as had,
           to_regclass('${prefix}acme.fees') as fees, to_regclass('${prefix}acme.loans')::text as loans`,
      )
      expect(rows).toEqual([{ had: 2, fees: null, loans: `${prefix}acme.loans` }])
    },
  )
})
