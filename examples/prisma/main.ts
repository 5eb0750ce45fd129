// Run it with `npx tsx examples/prisma/main.ts`.
import { fileURLToPath } from 'node:url'
import { PrismaPg } from '@prisma/adapter-pg'
import { SchemaRouter } from 'tenantry'
import { tenantPrisma } from 'tenantry/prisma'
import { startEmbeddedPostgres } from 'tenantry/testing'
import { type NewLoan, generateClient } from './client.js'

const PrismaClient = await generateClient()
await using postgres = await startEmbeddedPostgres()
const migrations = fileURLToPath(new URL('migrations', import.meta.url))
await using router = new SchemaRouter({
  connectionString: postgres.url,
  schemas: { tenants: { migrations } },
})
await router.tenants.createMany([{ slug: 'acme' }, { slug: 'globex' }])

// A light client for each tenant, because Prisma writes the schema into each statement.
const prisma = tenantPrisma(
  router,
  (pool, schema) => new PrismaClient({ adapter: new PrismaPg(pool, { schema }) }),
)

/** Adds all of the loans, or none. */
async function add(loans: readonly NewLoan[]): Promise<void> {
  await prisma.current.$transaction(async (transaction) => {
    for (const data of loans) await transaction.loan.create({ data })
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
  const loans = await router.runAs(slug, () => prisma.current.loan.findMany())
  for (const { borrower, amount } of loans) console.log(`${slug}: ${borrower} ${amount.toString()}`)
}
await prisma.close()
