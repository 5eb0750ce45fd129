import { AsyncResource } from 'node:async_hooks'
import { type Submittable, isSubmittable } from './wire.js'

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
  return AsyncResource.bind(callback)
}

/**
 * Answers a call as pg does: the object itself for a cursor or stream, nothing for the callback
 * form, and else a promise.
 */
export function answer(call: QueryCall, run: (settle: Callback) => void): unknown {
  if (isSubmittable(call.config)) {
    const { config } = call
    if (call.callback !== undefined) config.callback ??= call.callback
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
export function failSubmittable(statement: Submittable, error: Error): void {
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
  stream: { write: ignore },
  parsedStatements: {},
  close: ignore,
  query: ignore,
  flush: ignore,
  sync: ignore,
}
