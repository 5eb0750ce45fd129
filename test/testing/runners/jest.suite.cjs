const { Pool } = require('pg')
const { SchemaRouter } = require('tenantry')
const { createTestDatabase, createTestTenant } = require('tenantry/testing')
const { openLender } = require('./lender.cjs')

let lender
beforeAll(async () => {
  lender = await openLender({ SchemaRouter, createTestDatabase, createTestTenant, Pool })
})
afterEach(() => lender.truncate())
afterAll(() => lender.close())

test.each([1, 2])('look %d finds no loans but its own', async () => {
  expect(await lender.add()).toBe(1)
})
