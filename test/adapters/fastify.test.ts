import { Readable } from 'node:stream'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { SchemaRouter } from 'tenantry'
import { byClaim, byHeader, placeOf, serveTenants, serveUpgrades, tenantOf } from 'tenantry/fastify'
import { type AdapterService, type StartedService, testFrameworkAdapter } from 'tenantry/testing'
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { useDatabase } from '../support/database.js'
import { converse } from './web-socket.js'

const database = useDatabase()
const router = new SchemaRouter({ pool: database.pool({ max: 5 }) })

async function start(service: AdapterService): Promise<StartedService> {
  const app = fastify({ forceCloseConnections: true, exposeHeadRoutes: false })
  await app.register(serveTenants(service.router, service.options))
  app.get('/get/*', async (request, reply) => {
    const url = request.raw.url ?? ''
    const told = await service.get({ url, tenant: tenantOf(request) })
    // What is told may be null, which fastify would send as nothing.
    return reply.type('application/json').send(JSON.stringify(told))
  })
  app.post('/json', (request) => service.json(request.body))
  app.addContentTypeParser('application/octet-stream', (_request, body, done) => done(null, body))
  app.post('/upload', (request) => service.upload(request.body as Readable))
  app.get('/download', (_request, reply) => reply.send(Readable.from(service.download())))
  app.setErrorHandler((error, _request, reply) => {
    reply
      .code(500)
      .type('application/json')
      .send(JSON.stringify(service.failed(error)))
  })
  return run(app)
}

async function run(app: FastifyInstance): Promise<StartedService> {
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { url, close: () => app.close() }
}

describe('serveTenants in fastify', () => {
  testFrameworkAdapter({ test: it, router: () => router, start })

  const slug = 'lender'
  beforeAll(() => router.tenants.create({ slug, domains: ['lender.test/beta'] }))

  it('is in scope in every later hook, and in plugins registered before and after', async () => {
    const seen: [string, string | undefined][] = []
    const see = (name: string): void => void seen.push([name, router.tryCurrent()?.slug])
    const app = fastify()
    await app.register(serveTenants(router, { tenant: byHeader('x-tenant') }))
    await app.register(async (inner) => {
      inner.addHook('onRequest', async () => see('onRequest'))
      inner.addHook('preParsing', async () => see('preParsing'))
      inner.addHook('preValidation', async () => see('preValidation'))
      inner.addHook('preHandler', async () => see('preHandler'))
      inner.addHook('onSend', async () => see('onSend'))
      inner.addHook('onResponse', async () => see('onResponse'))
      inner.post('/', async () => 'done')
    })
    const headers = { 'x-tenant': slug }
    await app.inject({ method: 'POST', url: '/', headers, payload: { a: 1 } })
    await app.close()
    const names = ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'onSend', 'onResponse']
    expect(seen).toEqual(names.map((name) => [name, slug]))
  })

  it('answers by fastify’s own means, so that headers of other plugins are kept', async () => {
    const app = fastify()
    app.addHook('onRequest', async (_request, reply) => void reply.header('x-own', 'kept'))
    await app.register(serveTenants(router))
    const { statusCode, headers } = await app.inject({ url: '/', headers: { host: 'nobody.test' } })
    expect([statusCode, headers['x-own']]).toEqual([404, 'kept'])
    await app.close()
  })

  it('chooses the route by the URL without the prefix, where the whole URL has one, too', async () => {
    const app = fastify()
    await app.register(serveTenants(router, { missing: 'pass' }))
    app.get('/:first/loans', async () => 'by the whole URL')
    app.post<{ Body: { a: number } }>('/loans', async ({ body }) => [router.current().slug, body.a])
    const question = { method: 'POST' as const, url: '/beta/loans', payload: { a: 1 } }
    const answer = await app.inject({ ...question, headers: { host: 'lender.test' } })
    expect(answer.json()).toEqual([slug, 1])
    await app.close()
  })

  it('serves WebSockets on its server', async () => {
    const app = fastify()
    await app.register(serveTenants(router))
    const sockets = new WebSocketServer({ noServer: true })
    const serve = serveUpgrades(router, { tenant: byHeader('x-tenant') }, (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on('message', () => webSocket.send(router.current().slug))
      }),
    )
    app.server.on('upgrade', serve)
    const { url, close } = await run(app)
    const headers = { 'x-tenant': slug }
    expect(await converse(url, headers, ['one', 'two'])).toEqual([slug, slug])
    await close()
    expect(sockets.clients.size).toBe(0)
  })
})

describe('the types of tenantry/fastify', () => {
  it('fit into those of fastify', async () => {
    const app = fastify()
    const claim = byClaim((request: FastifyRequest) => request.headers.authorization)
    void app.register(serveTenants(router, { tenant: claim, missing: 'shared' }))
    app.get('/', async (request) => {
      expectTypeOf(tenantOf<{ plan: string }>(request)?.metadata.plan).toEqualTypeOf<
        string | undefined
      >()
      return placeOf(request)?.kind
    })
    expect((await app.inject('/')).body).toBe('shared')
    await app.close()
  })
})
