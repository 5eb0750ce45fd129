import { connect } from 'node:net'
import type { PoolClient } from 'pg'

const CANCEL_REQUEST_CODE = 80_877_102
const PATIENCE_MS = 2_000

/**
 * Asks the server to stop what a client runs, as psql does on Ctrl-C.
 *
 * The request goes over a connection of its own and has no answer; the statement then fails with
 * `57014`. A client that does not know its key, or a server that cannot be reached, changes nothing.
 *
 * Resolves when the server has closed that connection, which it does after it has signalled the
 * backend: before that, the client must not run anything else, or that would be cancelled.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
export async function cancelStatement(client: PoolClient): Promise<void> {
  const processId: unknown = Reflect.get(client, 'processID')
  const secretKey: unknown = Reflect.get(client, 'secretKey')
  if (typeof processId !== 'number' || typeof secretKey !== 'number') return
  const request = Buffer.alloc(16)
  request.writeInt32BE(request.length, 0)
  request.writeInt32BE(CANCEL_REQUEST_CODE, 4)
  request.writeInt32BE(processId, 8)
  request.writeInt32BE(secretKey, 12)
  const { host, port } = client
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host)
  socket.setTimeout(PATIENCE_MS, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.resume()
  // A pooler forgets the request of a client that has hung up: the server is the one to close.
  socket.write(request)
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
  })
}
