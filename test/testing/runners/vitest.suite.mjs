import { Pool } from 'pg'
import { SchemaRouter } from 'tenantry'
import { createTestDatabase, createTestTenant } from 'tenantry/testing'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { openLender } from './lender.cjs'

let lender
beforeAll(async () => {
  lender = await openLender({ SchemaRouter, createTestDatabase, createTestTenant, Pool })
})
afterEach(() => lender.truncate())
afterAll(() => lender.close())

test.each([1, 2])('look %d finds no loans but its own', async () => {
  expect(await lender.add()).toBe(1)
})
