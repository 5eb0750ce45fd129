import type { PoolClient } from 'pg'
import { log } from '../diagnostics/log.js'

const debug = log('scope')

/**
 * The error of a connection that ends between two statements. Without a listener it would end the
 * process; with one the next statement fails, and the pool drops the client.
 */
function heed(error: Error): void {
  debug('a client was lost: %s', error.message)
}

/** Takes charge of a client that the pool has lent. */
export function takeOver<Client extends PoolClient>(client: Client): Client {
  client.on('error', heed)
  return client
}

/** Gives a client back that {@link takeOver} was called for. */
export function giveBack(client: PoolClient, destroy = false): void {
  client.release(destroy)
  client.off('error', heed)
}
