import { EventEmitter, once } from 'node:events'
import { type IncomingMessage, type ServerResponse, createServer, request } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { json, text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { SchemaRouter } from 'tenantry'
import { byHeader, placeOf, serveTenants, serveUpgrades, tenantOf } from 'tenantry/http'
import { type AdapterService, type StartedService, testFrameworkAdapter } from 'tenantry/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { useDatabase } from '../support/database.js'
import { listen } from './listen.js'
import { converse } from './web-socket.js'

const database = useDatabase()
const router = new SchemaRouter({ pool: database.pool({ max: 5 }) })
const slug = 'lender'
beforeAll(() => router.tenants.create({ slug, domains: ['lender.test'] }))

async function answer(
  service: AdapterService,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { url = '' } = incoming
  const tell = (told: unknown): unknown => response.end(JSON.stringify(told))
  if (url.startsWith('/get/')) tell(await service.get({ url, tenant: tenantOf(incoming) }))
  else if (url === '/json') tell(await service.json(await json(incoming)))
  else if (url === '/upload') tell(await service.upload(incoming))
  else if (url === '/download') {
    await pipeline(Readable.from(service.download()), response).catch(() => {})
  } else response.writeHead(404).end()
}

function start(service: AdapterService): Promise<StartedService> {
  const onError = (error: unknown, _request: unknown, response: ServerResponse): unknown =>
    response.writeHead(500).end(JSON.stringify(service.failed(error)))
  const options = { ...service.options, onError }
  const handler = (incoming: IncomingMessage, response: ServerResponse): unknown =>
    answer(service, incoming, response)
  return listen(createServer(serveTenants(service.router, options, handler)))
}

describe('serveTenants in node:http', () => {
  testFrameworkAdapter({ test: it, router: () => router, start })

  it('breaks off an answer that was begun, and warns with what is no error as well', async () => {
    const options = { tenant: () => slug }
    const handler = (_: unknown, response: ServerResponse): never => {
      response.writeHead(200, { 'content-length': 9 }).write('half')
      const thrown: unknown = 'A word was thrown.'
      throw thrown
    }
    const service = await listen(createServer(serveTenants(router, options, handler)))
    const warned = once(process, 'warning')
    const read = fetch(service.url).then((response) => response.text())
    await expect(read).rejects.toBeInstanceOf(TypeError)
    expect(await warned).toMatchObject([{ message: 'A word was thrown.' }])
    await service.close()
  })

  it('answers a failed request with 500, and warns with the error', async () => {
    const options = { tenant: () => slug }
    const service = await listen(
      createServer(
        serveTenants(router, options, () => {
          throw new Error('The handler failed.')
        }),
      ),
    )
    const warned = once(process, 'warning')
    expect((await fetch(service.url)).status).toBe(500)
    expect(await warned).toMatchObject([{ message: 'The handler failed.' }])
    await service.close()
  })

  it('reads the target of a request through a proxy, and of OPTIONS *', async () => {
    const seen: (string | undefined)[] = []
    const options = { tenant: ({ url }: { url: string }) => (seen.push(url), slug) }
    const service = await listen(
      createServer(
        serveTenants(router, options, ({ url }, response) => {
          seen.push(url)
          response.end()
        }),
      ),
    )
    for (const [method, path] of [
      ['GET', 'http://other.test?a=1'],
      ['OPTIONS', '*'],
    ]) {
      const asked = request(service.url, { method, path, agent: false }).end()
      const [response] = (await once(asked, 'response')) as [IncomingMessage]
      await text(response)
    }
    expect(seen).toEqual(['/?a=1', 'http://other.test?a=1', '/', '*'])
    await service.close()
  })
})

describe('serveUpgrades', () => {
  it('keeps the tenant in the listeners of a WebSocket for as long as it is open', async () => {
    const sockets = new WebSocketServer({ noServer: true })
    const serve = serveUpgrades(router, { tenant: byHeader('x-tenant') }, (asked, socket, head) =>
      sockets.handleUpgrade(asked, socket, head, (webSocket) => {
        const tell = async (): Promise<void> => {
          const { rows } = await router.pool.query('select current_schema()::text as schema')
          webSocket.send([tenantOf(asked)?.slug, rows[0]?.schema].join())
        }
        webSocket.on('message', () => void tell())
      }),
    )
    const service = await listen(createServer().on('upgrade', serve))
    const answers = await converse(service.url, { 'x-tenant': slug }, ['one', 'two'])
    expect(answers).toEqual([`${slug},tenant_${slug}`, `${slug},tenant_${slug}`])
    await service.close()
  })

  it.each([
    ['for an unknown tenant', { 'x-tenant': 'nobody' }, '404 Not Found', 'TENANT_NOT_FOUND'],
    ['without a tenant', {}, '400 Bad Request', 'TENANT_UNRESOLVED'],
  ])('refuses one %s with a problem', async (_case, headers, status, code) => {
    const reached = (): never => {
      throw new Error('The handler was reached.')
    }
    const serve = serveUpgrades(router, { tenant: byHeader('x-tenant') }, reached)
    const service = await listen(createServer().on('upgrade', serve))
    const upgrade = { connection: 'upgrade', upgrade: 'websocket', ...headers }
    const asked = request(service.url, { headers: upgrade, agent: false }).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    expect(`${response.statusCode} ${response.statusMessage}`).toBe(status)
    expect(response.headers['content-type']).toBe('application/problem+json')
    expect(await json(response)).toMatchObject({ code })
    await service.close()
  })

  it('survives a client that goes away before its tenant is known', async () => {
    const steps = new EventEmitter()
    const asking = once(steps, 'asking')
    const handled = once(steps, 'handled')
    const tenant = async (): Promise<string> => {
      const gone = once(steps, 'gone')
      steps.emit('asking')
      await gone
      return slug
    }
    const serve = serveUpgrades(router, { tenant }, (asked, socket) => {
      socket.on('error', () => {})
      steps.emit('handled', placeOf(asked)?.kind)
    })
    const server = createServer().on('upgrade', serve)
    const lost = new Promise((resolve) => {
      server.once('connection', (socket) => socket.once('close', resolve))
    })
    const service = await listen(server)
    const upgrade = { connection: 'upgrade', upgrade: 'websocket' }
    const asked = request(service.url, { headers: upgrade, agent: false }).end()
    asked.on('error', () => {})
    const [socket] = (await once(asked, 'socket')) as [Socket]
    await asking
    socket.resetAndDestroy()
    await lost
    steps.emit('gone')
    expect(await handled).toEqual(['tenant'])
    await service.close()
  })
})
