import { setImmediate } from 'node:timers/promises'
import { SchemaRouter } from 'tenantry'
import { memoryRegistry } from 'tenantry/testing'
import { expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'

const database = useDatabase()

it('a router can be closed while it begins to listen', async () => {
  for (let turns = 0; turns < 12; turns += 1) {
    const router = new SchemaRouter({ pool: database.admin, registry: memoryRegistry() })
    expect(await router.tenants.find('acme')).toBeUndefined()
    for (let turn = 0; turn < turns; turn += 1) await setImmediate()
    await router.close()
  }
})
