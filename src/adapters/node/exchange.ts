import type { IncomingMessage, ServerResponse } from 'node:http'
import { pathOfTarget } from '../request/address.js'
import type { AskedRequest } from '../request/found.js'
import type { RequestGate, Verdict } from '../request/gate.js'
import { type PlainAnswer, pass } from '../request/pass.js'
import { setPlace } from '../request/place.js'
import { Ambience } from './ambient.js'

/** A request of Node, and how resolvers see it: as the framework's own. */
export interface Exchange<Request> {
  readonly gate: RequestGate<Request>
  readonly shown: Request
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/**
 * Lets one request through the gate, or answers it there.
 *
 * @param enter Goes on with the request. What it throws is not caught, because the app is in charge.
 * @throws a refusal that the framework is to answer, and what a resolver or the registry throws
 */
export function exchange<Request>(
  { gate, shown, request, response }: Exchange<Request>,
  enter: (ambience: Ambience) => unknown,
): Promise<unknown> {
  return pass<Request, unknown>(gate, askedOf(shown, request), {
    enter: (verdict) => enter(enterNode(verdict, request, response)),
    answer: (answer) => send(response, answer),
  })
}

/** A request of Node as resolvers see it. */
export function askedOf<Request>(shown: Request, request: IncomingMessage): AskedRequest<Request> {
  const { method = 'GET', url, headers } = request
  return { request: shown, method, url: pathOfTarget(url), headers }
}

/** Prepares a request for the app; has to be called in the scope that it is served in. */
export function enterNode(
  { place, url }: Extract<Verdict, { kind: 'serve' }>,
  request: IncomingMessage,
  response: ServerResponse,
): Ambience {
  setPlace(request, place)
  if (url !== pathOfTarget(request.url)) request.url = url
  const ambience = new Ambience()
  ambience.keepListeners(request)
  ambience.keepListeners(response)
  return ambience
}

/** Answers a request by Node's own means. */
function send(response: ServerResponse, { status, headers, body }: PlainAnswer): void {
  const length = { 'content-length': Buffer.byteLength(body) }
  response.writeHead(status, { ...headers, ...length }).end(body)
}
