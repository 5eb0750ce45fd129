// Both copies of the package in one process: what one knows, the other one must know.
import { createRequire } from 'node:module'
import * as esm from 'tenantry'

const require = createRequire(import.meta.url)
const cjs = require('tenantry')
const { Pool } = require('pg')

const connectionString = process.env.DATABASE_URL
const copies = {
  esm: new esm.SchemaRouter({ connectionString }),
  cjs: new cjs.SchemaRouter({ connectionString }),
}
await copies.esm.tenants.create({ slug: 'north' })
await copies.cjs.tenants.create({ slug: 'south' })

async function seen(router) {
  const { rows } = await router.pool.query('select current_schema() as schema')
  return { tenant: router.current().slug, schema: rows[0].schema }
}

async function refusal(router) {
  return router.pool.query('select 1').catch((error) => error)
}

console.log(
  JSON.stringify({
    twoCopies: copies.esm.constructor !== copies.cjs.constructor,
    esmInCjs: await copies.cjs.runAs('north', () => seen(copies.esm)),
    cjsInEsm: await copies.esm.runAs('south', () => seen(copies.cjs)),
    errors: [
      cjs.isTenantryError(await refusal(copies.esm), 'TENANT_NO_SCOPE'),
      esm.isTenantryError(await refusal(copies.cjs), 'TENANT_NO_SCOPE'),
      (await refusal(copies.esm)) instanceof cjs.TenantryError,
    ],
    pools: Object.values(copies).map(({ pool }) => [pool.constructor.name, pool instanceof Pool]),
  }),
)
await copies.esm.close()
await copies.cjs.close()
