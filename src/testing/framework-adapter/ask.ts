import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** A request to a service that was started. */
export interface Question {
  readonly method?: string
  readonly host?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Iterable<string>
}

/** What the service answered. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Begins a request; unlike `fetch`, it can name any host. */
export function begin(url: string, question: Question = {}): ClientRequest {
  const { method = 'GET', host, headers = {}, body } = question
  const named = host === undefined ? headers : { ...headers, host }
  const asked = request(url, { method, headers: named, agent: false })
  if (body === undefined) return asked.end()
  // Each part is a chunk of its own, so that the other side has to put them together.
  for (const part of body) asked.write(part)
  return asked.end()
}

/** Sends a request and reads the whole answer. */
export async function ask(url: string, question?: Question): Promise<Answer> {
  const [response] = (await once(begin(url, question), 'response')) as [IncomingMessage]
  const { statusCode: status = 0, headers } = response
  return { status, headers, body: await text(response) }
}
