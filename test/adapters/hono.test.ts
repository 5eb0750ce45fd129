import { type Server } from 'node:http'
import { type HttpBindings, createAdaptorServer } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { stream } from 'hono/streaming'
import { SchemaRouter, type Tenant } from 'tenantry'
import {
  byClaim,
  byHeader,
  placeOf,
  serveTenants,
  tenantOf,
  type TenantVariables,
} from 'tenantry/hono'
import { type AdapterService, type StartedService, testFrameworkAdapter } from 'tenantry/testing'
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { listen } from './listen.js'

const database = useDatabase()
const router = new SchemaRouter({ pool: database.pool({ max: 5 }) })

interface Env {
  readonly Bindings: HttpBindings
  readonly Variables: TenantVariables
}

function makeApp(service: AdapterService): Hono<Env> {
  const app = new Hono<Env>()
  app.use(serveTenants(service.router, { ...service.options, app }))
  app.get('/get/*', async (c) => {
    const url = c.req.url.replace(/^http:\/\/[^/]*/, '')
    return told(c, await service.get({ url, tenant: c.var.tenant }))
  })
  app.post('/json', async (c) => told(c, await service.json(await c.req.json())))
  app.post('/upload', async (c) => told(c, await service.upload(c.req.raw.body ?? emptyBody())))
  app.get('/download', () => new Response(ReadableStream.from(encoded(service.download()))))
  app.onError((error, c) => told(c, service.failed(error), 500))
  return app
}

const told = (c: Context, value: unknown, status: 200 | 500 = 200): Response =>
  c.body(JSON.stringify(value), status, { 'content-type': 'application/json' })

async function* encoded(parts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const part of parts) yield encoder.encode(part)
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}

const serve = (app: Hono<Env>): Promise<StartedService> =>
  listen(createAdaptorServer({ fetch: app.fetch }) as Server)

describe('serveTenants in hono', () => {
  testFrameworkAdapter({
    test: it,
    router: () => router,
    start: (service) => serve(makeApp(service)),
  })

  const slug = 'lender'
  beforeAll(() => router.tenants.create({ slug, domains: ['lender.test/beta'] }))

  it('keeps the tenant in the streams of hono’s own helper', async () => {
    const app = new Hono<Env>()
    app.use(serveTenants(router, { tenant: byHeader('x-tenant') }))
    app.get('/', (c) =>
      stream(c, async (out) => {
        for (let at = 0; at < 3; at += 1) {
          const { rows } = await router.pool.query('select current_schema()::text as schema')
          await out.write(rows[0]?.schema)
        }
      }),
    )
    const service = await serve(app)
    const answer = await fetch(service.url, { headers: { 'x-tenant': slug } })
    expect(await answer.text()).toBe(`tenant_${slug}`.repeat(3))
    await service.close()
  })

  it('sends a body with the prefix stripped, and the length of a short answer', async () => {
    const app = new Hono<Env>()
    app.use(serveTenants(router, { tenant: () => slug }))
    app.post('/loans', async (c) => c.text((await c.req.text()) + (c.var.tenant?.slug ?? '')))
    const service = await serve(app)
    const answer = await fetch(`${service.url}/loans`, { method: 'POST', body: 'for ' })
    expect(await answer.text()).toBe(`for ${slug}`)
    expect(answer.headers.get('content-length')).toBe('10')
    await service.close()
  })

  it('asks the app again with the body, without the prefix', async () => {
    const app = new Hono<Env>()
    app.use(serveTenants(router, { app }))
    app.post('/loans', async (c) => c.json([await c.req.json(), tenantOf(c)?.slug, c.req.path]))
    const request = new Request('http://lender.test/beta/loans', {
      method: 'POST',
      headers: { host: 'lender.test', 'content-type': 'application/json' },
      body: '{"a":1}',
    })
    expect(await (await app.fetch(request)).json()).toEqual([{ a: 1 }, slug, '/loans'])
  })
})

describe('serveTenants in hono without a server of Node', () => {
  it('serves, with and without a body, and asks again without the prefix', async () => {
    const app = new Hono()
    app.use(serveTenants(router, { app }))
    app.get('/loans', (c) => c.text(tenantOf(c)?.slug ?? ''))
    app.get('/none', (c) => c.body(null, 204))
    const ask = (path: string, env?: object) =>
      app.request(`http://lender.test/beta${path}`, { headers: { host: 'lender.test' } }, env)
    for (const env of [undefined, {}, { incoming: 'odd' }]) {
      expect(await (await ask('/loans', env)).text()).toBe('lender')
    }
    const answer = await ask('/none')
    expect([answer.status, answer.body]).toEqual([204, null])
  })
})

describe('the types of tenantry/hono', () => {
  it('fit into those of hono', () => {
    const app = new Hono<{ Variables: TenantVariables<{ plan: string }> }>()
    const claim = byClaim((c: Context) => c.req.header('x-claim'))
    app.use(serveTenants(router))
    app.use('/loans/*', serveTenants(router, { tenant: claim, app }))
    app.get('/', (c) => {
      expectTypeOf(c.var.tenant).toEqualTypeOf<Tenant<{ plan: string }> | undefined>()
      expectTypeOf(placeOf(c)?.kind).toEqualTypeOf<'tenant' | 'static' | 'shared' | undefined>()
      return c.text('')
    })
  })
})
