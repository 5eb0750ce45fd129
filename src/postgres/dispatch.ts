import { AsyncResource } from 'node:async_hooks'
import type { PoolClient } from 'pg'
import type { ScopedSession } from './scoped-session.js'
import { type Submittable, isSubmittable } from './wire.js'

type Callback = (error: Error | null, result?: unknown) => void

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
  return AsyncResource.bind(callback)
}

/** Runs a call on a session; `settle` hears of its end unless the caller's object hears itself. */
export function dispatch(session: ScopedSession, call: QueryCall, settle: Callback): void {
  if (isSubmittable(call.config)) {
    if (call.callback !== undefined) call.config.callback ??= call.callback
    session.submit(call.config)
    return
  }
  try {
    session.submit(makeQuery(session.client, call, settle))
  } catch (error) {
    settle(error instanceof Error ? error : new Error(String(error)))
  }
}

type QueryClass = new (config: unknown, values: unknown, callback: Callback) => Submittable

/** The caller's own pg makes the query, so that its version and its settings apply. */
function makeQuery(client: PoolClient, call: QueryCall, callback: Callback): Submittable {
  const Query = queryClassOf(client)
  return new Query(call.config, call.values, callback)
}

function queryClassOf(client: PoolClient): QueryClass {
  const Query: unknown = Reflect.get(client.constructor, 'Query')
  if (isQueryClass(Query)) return Query
  throw new TypeError('The pool’s client class has no Query; use a pool of the package pg.')
}

function isQueryClass(input: unknown): input is QueryClass {
  return typeof input === 'function'
}

/**
 * Answers a call as pg does: the object itself for a cursor or stream, nothing for the callback
 * form, and else a promise.
 */
export function answer(call: QueryCall, run: (settle: Callback) => void): unknown {
  if (isSubmittable(call.config)) {
    const { config } = call
    run((error) => error && failSubmittable(config, error))
    return config
  }
  if (call.callback !== undefined) {
    run(call.callback)
    return undefined
  }
  return promised(run)
}

/** Tells a cursor or stream that it will never be run. */
function failSubmittable(statement: Submittable, error: Error): void {
  if (statement.callback) statement.callback(error)
  else statement.handleError?.(error, NO_CONNECTION)
}

async function promised(run: (settle: Callback) => void): Promise<unknown> {
  try {
    return await new Promise((resolve, reject) => {
      run((error, result) => (error ? reject(error) : resolve(result)))
    })
  } catch (error) {
    // The stack of a server's error begins in the socket; the caller's own line is of more use.
    if (error instanceof Error) Error.captureStackTrace(error)
    throw error
  }
}

const ignore = (): void => {}

/** Stands in for the connection of a statement that was never submitted. */
const NO_CONNECTION = {
  stream: {},
  parsedStatements: {},
  parse: ignore,
  bind: ignore,
  execute: ignore,
  query: ignore,
  flush: ignore,
  sync: ignore,
}
