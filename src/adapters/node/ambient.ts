import { AsyncResource } from 'node:async_hooks'
import type { EventEmitter } from 'node:events'

/**
 * Runs functions in the async context in which it was made. Node calls the listeners of a request in
 * the context of its connection, which knows nothing of the tenant and serves others later.
 */
export class Ambience {
  readonly #resource = new AsyncResource('TenantRequest')

  /** Has all listeners of an emitter run here, also those that are added later. */
  keepListeners(emitter: Pick<EventEmitter, 'emit'>): void {
    const emit = emitter.emit.bind(emitter)
    emitter.emit = (...args: Parameters<typeof emit>) => this.run(() => emit(...args))
  }

  /** Has a stream make its data here, whoever reads it. */
  keepReading(stream: Readable): void {
    this.keepListeners(stream)
    const read = stream.read.bind(stream)
    stream.read = (size) => this.run(() => read(size))
  }

  /** Runs `fn` here. */
  run<R>(fn: () => R): R {
    return this.#resource.runInAsyncScope(fn)
  }
}

/** A stream of Node; all ways to read one call `read`. */
export interface Readable extends Pick<EventEmitter, 'emit'> {
  read(size?: number): unknown
}

/** Tells whether a body is a stream of Node. */
export function isReadable(body: unknown): body is Readable {
  if (typeof body !== 'object' || body === null) return false
  return [Reflect.get(body, 'read'), Reflect.get(body, 'emit')].every(
    (method) => typeof method === 'function',
  )
}
