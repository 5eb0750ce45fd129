import fastify, { type FastifyInstance } from 'fastify'
import { type Generated, Kysely, PostgresDialect } from 'kysely'
import type { SchemaRouter } from 'tenantry'
import { bySubdomain, serveTenants, tenantOf } from 'tenantry/fastify'

interface Tables {
  readonly loans: { id: Generated<string>; borrower: string; amount: string }
}

interface NewLoan {
  readonly borrower: string
  readonly amount: string
}

/** Each lender's loans, below a host of its own, with queries by kysely. */
export async function makeApp(router: SchemaRouter): Promise<FastifyInstance> {
  // One instance for all tenants: the pool answers for the ambient one.
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: router.pool }) })
  const app = fastify()
  await app.register(serveTenants(router, { tenant: bySubdomain({ base: 'localhost' }) }))

  app.get('/loans', async (request) => ({
    lender: tenantOf(request)?.name,
    loans: await db.selectFrom('loans').select(['borrower', 'amount']).orderBy('id').execute(),
  }))

  app.post<{ Body: readonly NewLoan[] }>('/loans', async ({ body }, reply) => {
    await db.transaction().execute(async (transaction) => {
      for (const loan of body) await transaction.insertInto('loans').values(loan).execute()
    })
    return reply.code(201).send()
  })
  return app
}
