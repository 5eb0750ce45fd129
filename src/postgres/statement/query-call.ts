import { AsyncResource } from 'node:async_hooks'
import type { EventEmitter } from 'node:events'
import { asCaller } from '../../support/caller-context.js'
import { type Submittable, isSubmittable } from './wire.js'
import { isError } from '../../support/is-error.js'

/** pg's callback. */
export type Callback = (error: Error | null, result?: unknown) => void

/** The arguments of pg's `query` in any of its forms, told apart once. */
export interface QueryCall {
  readonly config: unknown
  readonly values: unknown
  readonly callback: Callback | undefined
}

/** Sorts the arguments of `query(config, values?, callback?)`. */
export function queryCall(args: readonly unknown[]): QueryCall {
  const [config, second, third] = args
  if (isCallback(second)) return { config, values: undefined, callback: bound(second) }
  return { config, values: second, callback: isCallback(third) ? bound(third) : undefined }
}

function isCallback(input: unknown): input is Callback {
  return typeof input === 'function'
}

/** pg calls back from the socket's async context, which may be another tenant's. */
function bound(callback: Callback): Callback {
  return asCaller(callback)
}

/** The rows and the end of a query object or a stream are told as the caller's tenant, too. */
function bindEvents(statement: Submittable): void {
  const emit: unknown = Reflect.get(statement, 'emit')
  if (isEmit(emit)) Reflect.set(statement, 'emit', AsyncResource.bind(emit))
}

function isEmit(input: unknown): input is EventEmitter['emit'] {
  return typeof input === 'function'
}

/**
 * Answers a call as pg does: the object itself for a cursor or stream, nothing for the callback
 * form, and else a promise.
 */
export function answer(call: QueryCall, run: (settle: Callback) => void): unknown {
  if (isSubmittable(call.config)) {
    const { config } = call
    if (config.callback) config.callback = bound(config.callback)
    else if (call.callback !== undefined) config.callback = call.callback
    bindEvents(config)
    run((error) => error && failSubmittable(config, error))
    return config
  }
  if (call.callback !== undefined) {
    run(call.callback)
    return undefined
  }
  return promised(run)
}

/**
 * Tells a query object, cursor or stream that it will never be run; later, as pg does, so that the
 * caller can listen first.
 */
export function failSubmittable(statement: Submittable, error: Error): void {
  process.nextTick(() => {
    if (statement.handleError) statement.handleError(error, NO_CONNECTION)
    else statement.callback?.(error)
  })
}

function promised(run: (settle: Callback) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    run((error, result) => (error ? reject(error) : resolve(result)))
  }).catch(withOwnStack)
}

/** The stack of a server's error begins in the socket; the caller's own line is of more use. */
function withOwnStack(error: unknown): never {
  if (isError(error)) Error.captureStackTrace(error)
  throw error
}

const ignore = (): void => {}

/** Stands in for the connection of a statement that was never submitted. */
const NO_CONNECTION = {
  stream: { write: ignore },
  parsedStatements: {},
  close: ignore,
  query: ignore,
  flush: ignore,
  sync: ignore,
}
