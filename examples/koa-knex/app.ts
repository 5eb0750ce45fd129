import { json } from 'node:stream/consumers'
import knex from 'knex'
import Koa from 'koa'
import type { SchemaRouter } from 'tenantry'
import { tenantKnex } from 'tenantry/knex'
import { bySubdomain, serveTenants, tenantOf } from 'tenantry/koa'

interface NewLoan {
  readonly borrower: string
  readonly amount: string
}

/** Each lender's loans, below a host of its own, with queries by knex. */
export function makeApp(router: SchemaRouter): Koa {
  // One knex for all tenants: the pool answers for the ambient one.
  const db = tenantKnex(router, (connectionPool) => knex({ client: 'pg', connectionPool }))
  const app = new Koa()
  app.use(serveTenants(router, { tenant: bySubdomain({ base: 'localhost' }) }))

  app.use(async (context) => {
    if (context.method === 'POST') {
      const loans = (await json(context.req)) as readonly NewLoan[]
      await db.transaction(async (transaction) => {
        for (const loan of loans) await transaction('loans').insert(loan)
      })
      context.status = 201
    } else {
      const loans = await db('loans').select('borrower', 'amount').orderBy('id')
      context.body = { lender: tenantOf(context)?.name, loans }
    }
  })
  return app
}
