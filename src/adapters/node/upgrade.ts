import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ServingRouter } from '../request/found.js'
import { requestGate } from '../request/gate.js'
import type { ServeOptions } from '../request/options.js'
import { type PlainAnswer, pass } from '../request/pass.js'
import { setPlace } from '../request/place.js'
import { Ambience } from './ambient.js'
import { askedOf } from './exchange.js'

/** How upgrades are served: no client of a WebSocket follows a redirect. */
export type UpgradeOptions<Request = IncomingMessage> = Omit<
  ServeOptions<Request>,
  'redirect' | 'refusals'
>

/** A listener for the event `upgrade` of an HTTP server, and what it hands on to. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/**
 * Serves each WebSocket as its tenant: the listeners of the connection run as the tenant until it is
 * closed. A refused one is answered with the status and the problem that a request would get.
 *
 * A connection that is open stays open when its tenant is suspended. Queries through `router.pool`
 * go on; `router.withTenant(tenant.slug, …)` asks the registry each time.
 *
 * @throws `OPTIONS_INVALID`
 * @example
 * import { createServer } from 'node:http'
 * import { SchemaRouter } from 'tenantry'
 * import { serveUpgrades } from 'tenantry/http'
 * import { WebSocketServer } from 'ws'
 *
 * const router = new SchemaRouter({ connectionString: 'postgres://localhost/app' })
 * const sockets = new WebSocketServer({ noServer: true })
 *
 * export const server = createServer().on(
 *   'upgrade',
 *   serveUpgrades(router, {}, (request, socket, head) => {
 *     sockets.handleUpgrade(request, socket, head, (webSocket) => {
 *       webSocket.on('message', async () => {
 *         const { rows } = await router.pool.query('select * from loans')
 *         webSocket.send(JSON.stringify(rows))
 *       })
 *     })
 *   }),
 * )
 */
export function serveUpgrades(
  router: ServingRouter<object>,
  options: UpgradeOptions,
  handler: UpgradeListener,
): UpgradeListener {
  const gate = requestGate(router, { ...options, redirect: false, refusals: 'answer' })
  return (request, socket, head) => {
    // Until somebody else listens, a connection that is reset would end the process.
    const drop = (): unknown => socket.destroy()
    socket.on('error', drop)
    pass<IncomingMessage, unknown>(gate, askedOf(request, request), {
      enter: ({ place, url }) => {
        setPlace(request, place)
        request.url = url
        const ambience = new Ambience()
        ambience.keepListeners(request)
        ambience.keepListeners(socket)
        socket.off('error', drop)
        return handler(request, socket, head)
      },
      answer: (answer) => refuse(socket, answer),
    }).catch((error: Error) => {
      refuse(socket, { status: 500, headers: {}, body: '' })
      process.emitWarning(error)
    })
  }
}

function refuse(socket: Duplex, { status, headers, body }: PlainAnswer): void {
  const lines = Object.entries({
    connection: 'close',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`)
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'))
}
