import { SchemaRouter } from 'tenantry'
import { directory } from 'tenantry/migrate'
import { startEmbeddedPostgres } from 'tenantry/testing'

const router = new SchemaRouter({ connectionString: process.env.DATABASE_URL })
await router.tenants.create({ slug: 'esm' })
const { rows } = await router.withTenant('esm', (db) =>
  db.query('select current_schema() as schema'),
)
await router.close()
const source = await directory('nowhere')
  .load()
  .catch((error) => error.code)
// Its programs are a package that this project does not have.
const server = await startEmbeddedPostgres().catch((error) => error.code)
console.log(JSON.stringify({ schema: rows[0].schema, source, server }))
