import type { PoolClient } from 'pg'
import { answer, dispatch, queryCall } from '../postgres/dispatch.js'
import { closeSession } from '../postgres/lease.js'
import type { ScopedSession } from '../postgres/scoped-session.js'
import { scopeClosed } from './scoped-client.js'

/**
 * A pool client that answers for the session's schema until it is released.
 *
 * It is a view of pg's own client, so that events, type parsers and `instanceof` work; `query` and
 * `release` are the session's. After its release it is of no use, where pg's own would go on
 * and answer for whoever borrowed it next.
 */
export function scopedPoolClient(session: ScopedSession): PoolClient {
  let released = false
  const own: Record<string, unknown> = {
    query: (...args: unknown[]): unknown => {
      const call = queryCall(args)
      return answer(call, (settle) => dispatch(session, call, settle))
    },
    release: (destroy?: Error | boolean): void => {
      if (released) throw scopeClosed(session.prelude.schema)
      released = true
      if (destroy) session.client.release(destroy)
      else void closeSession(session)
    },
  }
  return new Proxy(session.client, {
    get(client, property) {
      if (released && property !== 'then') throw scopeClosed(session.prelude.schema)
      if (typeof property === 'string' && Object.hasOwn(own, property)) return own[property]
      const value: unknown = Reflect.get(client, property)
      return typeof value === 'function' ? value.bind(client) : value
    },
  })
}
