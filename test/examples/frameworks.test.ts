import { fileURLToPath } from 'node:url'
import { SchemaRouter } from 'tenantry'
import { beforeAll, describe, expect, it } from 'vitest'
import { makeApp as makeFastify } from '../../examples/fastify-kysely/app.js'
import { makeApp as makeHono } from '../../examples/hono-pg/app.js'
import { useDatabase } from '../support/database.js'

const database = useDatabase()
const migrations = fileURLToPath(new URL('../../examples/hono-pg/migrations', import.meta.url))
const router = new SchemaRouter({ pool: database.pool(), schemas: { tenants: { migrations } } })

beforeAll(() =>
  router.tenants.createMany(['acme', 'globex', 'initech'].map((slug) => ({ slug, name: slug }))),
)

describe('examples/hono-pg', () => {
  const app = makeHono(router)
  const ask = async (slug: string, init?: RequestInit): Promise<Response> => {
    const headers = { host: `${slug}.localhost:3000`, 'content-type': 'application/json' }
    return app.request(`http://${slug}.localhost:3000/loans`, { ...init, headers })
  }

  it('keeps each lender’s loans apart', async () => {
    const loan = { borrower: 'Ada', amount: 900 }
    expect((await ask('acme', { method: 'POST', body: JSON.stringify(loan) })).status).toBe(201)
    expect(await (await ask('acme')).json()).toEqual({
      lender: 'acme',
      loans: [{ borrower: 'Ada', amount: '900.00' }],
    })
    expect(await (await ask('globex')).json()).toEqual({ lender: 'globex', loans: [] })
    expect((await ask('nobody')).status).toBe(404)
  })
})

describe('examples/fastify-kysely', () => {
  it('keeps each lender’s loans apart, and adds all of a request or none', async () => {
    const app = await makeFastify(router)
    const ask = (slug: string, amounts?: readonly string[]) =>
      app.inject({
        url: '/loans',
        headers: { host: `${slug}.localhost:3000` },
        ...(amounts && {
          method: 'POST' as const,
          payload: amounts.map((amount) => ({ borrower: 'Ada', amount })),
        }),
      })
    expect((await ask('initech', ['900', '100'])).statusCode).toBe(201)
    expect((await ask('initech', ['1', '-1'])).statusCode).toBe(500)
    const loans = ['900.00', '100.00'].map((amount) => ({ borrower: 'Ada', amount }))
    expect((await ask('initech')).json()).toEqual({ lender: 'initech', loans })
    expect((await ask('globex')).json()).toEqual({ lender: 'globex', loans: [] })
    await app.close()
  })
})
