const { SchemaRouter } = require('tenantry')
const { directory } = require('tenantry/migrate')
const { startEmbeddedPostgres } = require('tenantry/testing')

async function main() {
  const router = new SchemaRouter({ connectionString: process.env.DATABASE_URL })
  await router.tenants.create({ slug: 'cjs' })
  const { rows } = await router.withTenant('cjs', (db) =>
    db.query('select current_schema() as schema'),
  )
  await router.close()
  const source = await directory('nowhere')
    .load()
    .catch((error) => error.code)
  // Its programs are a package that this project does not have.
  const server = await startEmbeddedPostgres().catch((error) => error.code)
  console.log(JSON.stringify({ schema: rows[0].schema, source, server }))
}

void main()
