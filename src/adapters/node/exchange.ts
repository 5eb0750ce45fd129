import type { IncomingMessage, ServerResponse } from 'node:http'
import { pathOfTarget } from '../request/address.js'
import type { AskedRequest } from '../request/found.js'
import { type RequestGate, type Verdict, refusalIn } from '../request/gate.js'
import { setPlace } from '../request/place.js'
import { PROBLEM_TYPE, type Refusal, problemOf } from '../request/refusal.js'
import { Ambience } from './ambient.js'

/** A request of `node:http`; those of express and its like have more. */
export type NodeRequest = IncomingMessage

/** What {@link passThrough} works with. */
export interface Exchange<Request> {
  readonly gate: RequestGate<Request>
  /** What resolvers are given: the framework's request. */
  readonly shown: Request
  readonly request: NodeRequest
  readonly response: ServerResponse
}

/**
 * Lets one request through the gate, or answers it there.
 *
 * @param enter Goes on with the request. What it throws is not caught, because the app is in charge.
 * @throws a refusal that the framework is to answer, and what a resolver or the registry throws
 */
export async function passThrough<Request>(
  { gate, shown, request, response }: Exchange<Request>,
  enter: (ambience: Ambience) => unknown,
): Promise<void> {
  const asked = askedOf(shown, request)
  const verdict = await gate.admit(asked)
  if (verdict.kind === 'redirect') return redirect(response, verdict)
  if (verdict.kind === 'refuse') return refuse(gate, response, verdict.error)
  let isInside = false
  try {
    await verdict.run(() => {
      isInside = true
      setPlace(request, verdict.place)
      if (verdict.url !== asked.url) request.url = verdict.url
      return enter(keepAmbient(request, response))
    })
  } catch (error) {
    const refused = isInside ? undefined : refusalIn(error)
    if (refused === undefined) throw error
    refuse(gate, response, refused)
  }
}

/** A request as resolvers see it. */
export function askedOf<Request>(shown: Request, request: NodeRequest): AskedRequest<Request> {
  const { method = 'GET', url, headers } = request
  return { request: shown, method, url: pathOfTarget(url), headers }
}

/** Keeps the ambient tenant in what is read from the request and written to the response. */
export function keepAmbient(request: NodeRequest, response: ServerResponse): Ambience {
  const ambience = new Ambience()
  ambience.keepListeners(request)
  ambience.keepListeners(response)
  return ambience
}

function redirect(
  response: ServerResponse,
  { status, location }: Extract<Verdict, { kind: 'redirect' }>,
): void {
  response.writeHead(status, { location, 'content-length': 0 }).end()
}

function refuse<Request>(
  { refusals }: RequestGate<Request>,
  response: ServerResponse,
  error: Refusal,
): void {
  if (refusals === 'throw') throw error
  const body = JSON.stringify(problemOf(error))
  const headers = { 'content-type': PROBLEM_TYPE, 'content-length': Buffer.byteLength(body) }
  response.writeHead(error.status, headers).end(body)
}
