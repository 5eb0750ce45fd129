import { drizzle } from 'drizzle-orm/node-postgres'
import { bigint, numeric, pgTable, text } from 'drizzle-orm/pg-core'
import express, { type Express } from 'express'
import type { SchemaRouter } from 'tenantry'
import { tenantDrizzle } from 'tenantry/drizzle'
import { bySubdomain, serveTenants, tenantOf } from 'tenantry/express'

const loans = pgTable('loans', {
  id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  borrower: text().notNull(),
  amount: numeric({ precision: 12, scale: 2 }).notNull(),
})

/** Each lender's loans, below a host of its own, with queries by drizzle. */
export function makeApp(router: SchemaRouter): Express {
  // One database for all tenants: the pool answers for the ambient one.
  const db = tenantDrizzle(router, (client) => drizzle({ client, schema: { loans } }))
  const app = express()
  app.use(serveTenants(router, { tenant: bySubdomain({ base: 'localhost' }) }))
  app.use(express.json())

  app.get('/loans', async (request, response) => {
    const columns = { borrower: true, amount: true } as const
    response.json({
      lender: tenantOf(request)?.name,
      loans: await db.query.loans.findMany({ columns, orderBy: loans.id }),
    })
  })

  app.post('/loans', async (request, response) => {
    await db.transaction(async (transaction) => {
      for (const loan of request.body) await transaction.insert(loans).values(loan)
    })
    response.sendStatus(201)
  })
  return app
}
