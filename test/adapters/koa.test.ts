import { Readable } from 'node:stream'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import Koa from 'koa'
import { SchemaRouter } from 'tenantry'
import { byClaim, placeOf, serveTenants, tenantOf } from 'tenantry/koa'
import { type AdapterService, type StartedService, testFrameworkAdapter } from 'tenantry/testing'
import { describe, expectTypeOf, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { listen } from './listen.js'

const database = useDatabase()
const router = new SchemaRouter({ pool: database.pool({ max: 5 }) })

function makeApp(service: AdapterService): Koa {
  const app = new Koa()
  app.silent = true
  const handleErrors: Koa.Middleware = async (context, next) => {
    try {
      await next()
    } catch (error) {
      tell(context, service.failed(error))
      context.status = 500
    }
  }
  // One for what comes before a tenant is known, and one that runs as the tenant.
  app.use(handleErrors)
  app.use(serveTenants(service.router, service.options))
  app.use(handleErrors)
  app.use((context) => answer(service, context))
  return app
}

async function answer(service: AdapterService, context: Koa.Context): Promise<void> {
  const { url, path, req } = context
  if (path.startsWith('/get/')) {
    tell(context, await service.get({ url, tenant: tenantOf(context) }))
  } else if (path === '/json') tell(context, await service.json(await json(req)))
  else if (path === '/upload') tell(context, await service.upload(req))
  else if (path === '/download') context.body = Readable.from(service.download())
}

function tell(context: Koa.Context, told: unknown): void {
  context.type = 'json'
  context.body = JSON.stringify(told)
}

function start(service: AdapterService): Promise<StartedService> {
  const callback = makeApp(service).callback()
  return listen(createServer((request, response) => void callback(request, response)))
}

describe('serveTenants in koa', () => {
  testFrameworkAdapter({ test: it, router: () => router, start })
})

describe('the types of tenantry/koa', () => {
  it('fit into those of koa', () => {
    const app = new Koa()
    const claim = byClaim((context: Koa.Context) => context.get('x-claim'))
    app.use(serveTenants(router, { missing: 'pass' }))
    app.use(serveTenants(router, { tenant: claim }))
    app.use((context) => {
      expectTypeOf(tenantOf<{ plan: string }>(context)?.metadata.plan).toEqualTypeOf<
        string | undefined
      >()
      context.body = placeOf(context)?.kind
    })
  })
})
