import { Hono } from 'hono'
import type { SchemaRouter } from 'tenantry'
import { type TenantVariables, bySubdomain, serveTenants } from 'tenantry/hono'

interface NewLoan {
  readonly borrower: string
  readonly amount: string
}

type LoansApp = Hono<{ Variables: TenantVariables }>

/** Each lender's loans, below a host of its own, with SQL through pg. */
export function makeApp(router: SchemaRouter): LoansApp {
  const app: LoansApp = new Hono()
  app.use(serveTenants(router, { app, tenant: bySubdomain({ base: 'localhost' }) }))

  app.get('/loans', async (c) => {
    const { rows } = await router.pool.query('select borrower, amount from loans order by id')
    return c.json({ lender: c.var.tenant?.name, loans: rows })
  })

  app.post('/loans', async (c) => {
    // One statement: all of them are added, or none.
    await router.pool.query(
      'insert into loans (borrower, amount) select borrower, amount from jsonb_populate_recordset(null::loans, $1)',
      [JSON.stringify(await c.req.json<readonly NewLoan[]>())],
    )
    return c.body(null, 201)
  })
  return app
}
