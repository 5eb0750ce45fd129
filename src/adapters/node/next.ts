import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServingRouter } from '../request/found.js'
import { requestGate } from '../request/gate.js'
import type { ServeOptions } from '../request/options.js'
import { exchange } from './exchange.js'

/** A middleware as express and Nest take it. */
export type NextMiddleware<Request extends IncomingMessage> = (
  request: Request,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/** Makes a middleware that goes on with `next`, or with an error. */
export function nextOf<Request extends IncomingMessage>(
  router: ServingRouter<object>,
  options: ServeOptions<Request>,
): NextMiddleware<Request> {
  const gate = requestGate(router, options)
  return (request, response, next) => {
    let isInside = false
    const enter = (): void => {
      isInside = true
      next()
    }
    exchange({ gate, shown: request, request, response }, enter).catch((error: unknown) => {
      // What the app throws is no reason to run it a second time.
      if (isInside) throw error
      next(error)
    })
  }
}
