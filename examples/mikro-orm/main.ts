// Run it with `npx tsx examples/mikro-orm/main.ts`.
import { fileURLToPath } from 'node:url'
import { type EntityManager, EntitySchema, MikroORM } from '@mikro-orm/postgresql'
import { SchemaRouter } from 'tenantry'
import { tenantMikroOrm } from 'tenantry/mikro-orm'
import { startEmbeddedPostgres } from 'tenantry/testing'

interface Loan {
  readonly id?: string
  readonly borrower: string
  readonly amount: string
}

const Loans = new EntitySchema<Loan>({
  name: 'Loan',
  tableName: 'loans',
  properties: {
    id: { type: 'bigint', primary: true, autoincrement: true },
    borrower: { type: 'text' },
    amount: { type: 'numeric' },
  },
})

await using postgres = await startEmbeddedPostgres()
const migrations = fileURLToPath(new URL('migrations', import.meta.url))
await using router = new SchemaRouter({
  connectionString: postgres.url,
  schemas: { tenants: { migrations } },
})
await router.tenants.createMany([{ slug: 'acme' }, { slug: 'globex' }])

// One MikroORM for all tenants; an EntityManager is forked in the scope of a tenant.
const orm = tenantMikroOrm(router, () => MikroORM.initSync({ entities: [Loans], dbName: 'any' }))

/** Adds all of the loans, or none. */
async function add(loans: readonly Loan[]): Promise<void> {
  await orm.em.fork().transactional(async (em: EntityManager) => {
    for (const loan of loans) em.create(Loans, loan)
  })
}

await router.runAs('acme', () => add([{ borrower: 'Ada', amount: '900' }]))
await router.runAs('globex', () => add([{ borrower: 'Grace', amount: '300' }]))
await router
  .runAs('acme', () =>
    add([
      { borrower: 'Alan', amount: '100' },
      { borrower: 'Alan', amount: '-1' },
    ]),
  )
  .catch((error: Error) => console.log(`Nothing was added: ${error.name}`))

for (const slug of ['acme', 'globex']) {
  const loans = await router.runAs(slug, () => orm.em.fork().find(Loans, {}))
  for (const { borrower, amount } of loans) console.log(`${slug}: ${borrower} ${amount}`)
}
