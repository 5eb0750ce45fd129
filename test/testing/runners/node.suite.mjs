import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { Pool } from 'pg'
import { SchemaRouter } from 'tenantry'
import { createTestDatabase, createTestTenant } from 'tenantry/testing'
import { openLender } from './lender.cjs'

let lender
before(async () => {
  lender = await openLender({ SchemaRouter, createTestDatabase, createTestTenant, Pool })
})
afterEach(() => lender.truncate())
after(() => lender.close())

for (const number of [1, 2]) {
  void test(`look ${number} finds no loans but its own`, async () => {
    assert.equal(await lender.add(), 1)
  })
}
