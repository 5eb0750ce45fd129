const { join } = require('node:path')

/**
 * A database with a lender in it for one file of tests, made by the fixtures of the package in the
 * module format of the runner.
 */
exports.openLender = async ({ SchemaRouter, createTestDatabase, createTestTenant, Pool }) => {
  const { SERVER_URL: connectionString, DATABASE_PREFIX: prefix } = process.env
  const database = await createTestDatabase({ connectionString, prefix })
  const migrations = join(__dirname, 'migrations')
  const router = new SchemaRouter({
    connectionString: database.connectionString,
    schemas: { tenants: { migrations } },
  })
  const template = await createTestTenant(router, { slug: 'template' })
  const lender = await createTestTenant(router, { from: template.slug })

  // What a careless test leaves behind: a client that is never given back, in an open transaction.
  const careless = new Pool({ connectionString: database.connectionString })
  const client = await careless.on('error', () => {}).connect()
  client.on('error', () => {})
  await client.query('begin')

  return {
    /** Adds a loan, and answers how many there are. */
    add: () =>
      router.withTenant(lender.slug, async (db) => {
        await db.query('insert into loans (amount) values (900)')
        const { rows } = await db.query('select count(*)::int from loans')
        return rows[0].count
      }),
    truncate: () => lender.truncate(),
    close: async () => {
      await lender.drop()
      await router.close()
      await database.drop()
    },
  }
}
