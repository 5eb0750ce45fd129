import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import express5 from 'express'
import express4 from 'express4'
import { SchemaRouter } from 'tenantry'
import { byClaim, byHeader, placeOf, serveTenants, tenantOf } from 'tenantry/express'
import { type AdapterService, type StartedService, testFrameworkAdapter } from 'tenantry/testing'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { listen } from './listen.js'

type Express = typeof express5

const database = useDatabase()
const router = new SchemaRouter({ pool: database.pool({ max: 5 }) })

function makeApp(express: Express, service: AdapterService): ReturnType<Express> {
  const app = express()
  app.use(serveTenants(service.router, service.options))
  app.get(/^\/get\//, (request, response, next) => {
    const { url } = request
    // Express 4 does not look at what a handler returns.
    Promise.resolve(service.get({ url, tenant: tenantOf(request) })).then(
      (told) => response.json(told),
      next,
    )
  })
  app.post('/json', express.json(), (request, response, next) => {
    service.json(request.body).then((told) => response.json(told), next)
  })
  app.post('/upload', (request, response, next) => {
    service.upload(request).then((told) => response.json(told), next)
  })
  app.get('/download', (_request, response) => {
    pipeline(Readable.from(service.download()), response).catch(() => {})
  })
  const failed: express5.ErrorRequestHandler = (error, _request, response, _next) => {
    response.status(500).json(service.failed(error))
  }
  app.use(failed)
  return app
}

const start =
  (express: Express) =>
  (service: AdapterService): Promise<StartedService> =>
    listen(createServer(makeApp(express, service)))

describe.each([
  ['express 5', express5],
  ['express 4', express4],
])('serveTenants in %s', (_name, express) => {
  testFrameworkAdapter({ test: it, router: () => router, start: start(express) })

  it('serves routers below a path, and leaves originalUrl alone', async () => {
    const prefix = database.prefix()
    await router.tenants.create({ slug: `${prefix}acme`, domains: [`${prefix}acme.test/beta`] })
    const app = express()
    app.use(serveTenants(router, { tenant: byHeader('x-tenant'), missing: 'pass' }))
    app.use(serveTenants(router, { missing: 'pass' }))
    const loans = express.Router()
    loans.get('/all', ({ url, originalUrl, baseUrl }, response) => {
      response.json({ url, originalUrl, baseUrl, tenant: router.current().slug })
    })
    app.use('/loans', loans)
    const service = await listen(createServer(app))
    const headers = { 'x-tenant': `${prefix}acme` }
    const response = await fetch(`${service.url}/loans/all?a=1`, { headers })
    expect(await response.json()).toEqual({
      url: '/all?a=1',
      originalUrl: '/loans/all?a=1',
      baseUrl: '/loans',
      tenant: `${prefix}acme`,
    })
    await service.close()
  })

  it('is in scope when the response is finished and closed', async () => {
    const slug = `${database.prefix()}acme`
    await router.tenants.create({ slug })
    const seen: (string | undefined)[] = []
    const app = express()
    app.use(serveTenants(router, { tenant: () => slug }))
    const closed = new Promise<void>((resolve) => {
      app.get('/', (_request, response) => {
        response.on('finish', () => seen.push(router.tryCurrent()?.slug))
        response.on('close', () => {
          seen.push(router.tryCurrent()?.slug)
          resolve()
        })
        response.send('done')
      })
    })
    const service = await listen(createServer(app))
    await (await fetch(service.url)).text()
    await closed
    expect(seen).toEqual([slug, slug])
    await service.close()
  })
})

describe('the types of tenantry/express', () => {
  it('fit into those of express', () => {
    const app = express5()
    app.use(serveTenants(router))
    app.use('/loans', serveTenants(router, { missing: 'shared' }), (request) => {
      expectTypeOf(tenantOf<{ plan: string }>(request)?.metadata.plan).toEqualTypeOf<
        string | undefined
      >()
      expectTypeOf(placeOf(request)?.kind).toEqualTypeOf<
        'tenant' | 'static' | 'shared' | undefined
      >()
    })
    const claim = byClaim((request: express5.Request) => request.get('x-claim'))
    app.use(serveTenants(router, { tenant: claim }))
    const typed = new SchemaRouter<{ plan: string }>({ connectionString: 'postgres://nowhere' })
    app.use(serveTenants(typed))
    // @ts-expect-error There is no such way to treat a missing tenant.
    expect(() => serveTenants(router, { missing: 'ignore' })).toThrow(/missing/)
  })
})
