import { sendPlain } from './wire-message.js'
import type { WireConnection } from './wire.js'

/**
 * The connection as a CALL or DO sees it that runs in a transaction block of its own: the block is
 * committed in the same batch.
 */
export function blockConnection(connection: WireConnection): WireConnection {
  const sync = (): void => {
    sendPlain(connection, 'commit')
    connection.sync()
  }
  return Object.create(connection, { sync: { value: sync } })
}
