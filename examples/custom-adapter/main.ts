// Run it with `npx tsx examples/custom-adapter/main.ts`, and ask it with
// `curl http://acme.localhost:3000` and `curl http://globex.localhost:3000`.
import { createServer } from 'node:http'
import { SchemaRouter } from 'tenantry'
import { bySubdomain } from 'tenantry/http'
import { startEmbeddedPostgres } from 'tenantry/testing'
import { adapt } from './adapter.js'

const postgres = await startEmbeddedPostgres()
const router = new SchemaRouter({ connectionString: postgres.url })
await router.tenants.createMany([{ slug: 'acme' }, { slug: 'globex' }])

const listener = adapt(
  router,
  {
    handle: async ({ tenant, response }) => {
      const { rows } = await router.pool.query('select current_schema() as schema')
      response.end(JSON.stringify({ tenant: tenant?.slug, rows }))
    },
    fail: (error, response) => response.writeHead(500).end(String(error)),
  },
  { tenant: bySubdomain({ base: 'localhost' }) },
)
const server = createServer(listener)
server.listen(Number(process.env['PORT'] ?? 3000), () => {
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : address
  console.log(`http://acme.localhost:${port} and http://globex.localhost:${port}`)
})
