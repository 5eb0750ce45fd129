// Run it with `npx tsx examples/script/main.ts`.
import { fileURLToPath } from 'node:url'
import { SchemaRouter, select } from 'tenantry'
import { startEmbeddedPostgres } from 'tenantry/testing'

const LOANS = { acme: ['900', '100'], globex: ['300'], initech: [] }

await using postgres = await startEmbeddedPostgres()
const migrations = fileURLToPath(new URL('migrations', import.meta.url))
await using router = new SchemaRouter({
  connectionString: postgres.url,
  schemas: { tenants: { migrations } },
})
for (const [slug, amounts] of Object.entries(LOANS)) {
  await router.tenants.create({ slug })
  await router.withTenant(slug, async (db) => {
    for (const amount of amounts) {
      await db.query('insert into loans (borrower, amount) values ($1, $2)', ['Ada', amount])
    }
  })
}

const exclude = process.argv.slice(2)
const LENDERS = select.tenants({ status: ['active'] })
/** What each lender has lent, by the name of its schema. */
const sums = new Map(
  (await router.whoWill(LENDERS, { exclude })).map((schema) => [schema, 'unknown']),
)
try {
  await router.each(
    LENDERS,
    async (db, { schema }) => {
      const { rows } = await db.query<{ sum: string }>(
        'select coalesce(sum(amount), 0) as sum from loans',
      )
      sums.set(schema, rows[0]?.sum ?? '0')
    },
    // A lender that fails does not keep the others' sums back.
    { concurrency: 4, exclude },
  )
} catch (error) {
  console.error(error)
  process.exitCode = 1
}
for (const [schema, sum] of sums) console.log(`${schema}: ${sum}`)
