import type { PoolClient } from 'pg'
import { answer, queryCall } from '../postgres/statement/query-call.js'
import type { Session } from '../postgres/session/session.js'
import { toError } from '../postgres/sql-state.js'
import { scopeClosed } from './scoped-client.js'

/** What is asked of a client after its release, too: by `await`, and to stop listening. */
const STILL_USED: ReadonlySet<string | symbol> = new Set(['then', 'off', 'removeListener'])

/**
 * A pool client that answers for the session's schema until it is released.
 *
 * It is a view of pg's own client, so that events, type parsers and `instanceof` work; `query` and
 * `release` are the session's. After its release it is of no use, where pg's own would go on
 * and answer for whoever borrowed it next.
 */
export function scopedPoolClient(session: Session, close: () => Promise<unknown>): PoolClient {
  let released = false
  const requireOpen = (): void => {
    if (released) throw scopeClosed(session.schema)
  }
  // A caller may keep these two and drop the client, so they look for themselves.
  const own: Record<string, unknown> = {
    query: (...args: unknown[]): unknown => {
      requireOpen()
      const call = queryCall(args)
      return answer(call, (settle) => session.run(call, settle))
    },
    release: (destroy?: Error | boolean): void => {
      requireOpen()
      released = true
      if (destroy) session.break(toError(destroy))
      void close()
    },
  }
  const view: PoolClient = new Proxy(session.client, {
    get(client, property) {
      if (!STILL_USED.has(property)) requireOpen()
      if (typeof property === 'string' && Object.hasOwn(own, property)) return own[property]
      const value: unknown = Reflect.get(client, property)
      if (typeof value !== 'function') return value
      // `client.on(…)` answers with the client itself, which is not to be had without its scope.
      return (...args: unknown[]): unknown => {
        const result: unknown = Reflect.apply(value, client, args)
        return result === client ? view : result
      }
    },
  })
  return view
}
