// Run it with `npx tsx examples/http-sequelize/main.ts`, and ask it with
// `curl http://acme.localhost:3000/loans`.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { SchemaRouter } from 'tenantry'
import { startEmbeddedPostgres } from 'tenantry/testing'
import { makeApp } from './app.js'

const postgres = await startEmbeddedPostgres()
const migrations = fileURLToPath(new URL('migrations', import.meta.url))
const router = new SchemaRouter({
  connectionString: postgres.url,
  schemas: { tenants: { migrations } },
})
await router.tenants.create({ slug: 'acme', name: 'Acme Lending' })
await router.tenants.create({ slug: 'globex', name: 'Globex' })

const server = createServer(makeApp(router)).listen(Number(process.env['PORT'] ?? 3000))
await once(server, 'listening')
const { port } = server.address() as AddressInfo
console.log(`http://acme.localhost:${port}/loans and http://globex.localhost:${port}/loans`)
