import type { AskedRequest } from './found.js'
import { type RequestGate, type Verdict, refusalIn } from './gate.js'
import { PROBLEM_TYPE, type Refusal, problemOf } from './refusal.js'

/** What the adapter itself answers. */
export interface PlainAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** How a framework goes on with a request. */
export interface Ways<R> {
  /** Lets the app answer; runs as what the request is served as. What it throws is not caught. */
  readonly enter: (verdict: Extract<Verdict, { kind: 'serve' }>) => R | Promise<R>
  readonly answer: (answer: PlainAnswer) => R
}

/**
 * Lets one request through the gate, or answers it there.
 *
 * @throws a refusal that the framework is to answer, and what a resolver, the registry or the app throws
 */
export async function pass<Request, R>(
  gate: RequestGate<Request>,
  asked: AskedRequest<Request>,
  { enter, answer }: Ways<R>,
): Promise<R> {
  const verdict = await gate.admit(asked)
  if (verdict.kind === 'redirect') {
    const { status, location } = verdict
    return answer({ status, headers: { location }, body: '' })
  }
  if (verdict.kind === 'refuse') return answer(refused(gate, verdict.error))
  let isInside = false
  try {
    return await verdict.run(() => {
      isInside = true
      return enter(verdict)
    })
  } catch (error) {
    // A tenant that was served a moment ago may be suspended by now.
    const late = isInside ? undefined : refusalIn(error)
    if (late === undefined) throw error
    return answer(refused(gate, late))
  }
}

function refused({ refusals }: Pick<RequestGate, 'refusals'>, error: Refusal): PlainAnswer {
  if (refusals === 'throw') throw error
  const headers = { 'content-type': PROBLEM_TYPE }
  return { status: error.status, headers, body: JSON.stringify(problemOf(error)) }
}
