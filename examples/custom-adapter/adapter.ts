// An adapter for a framework that tenantry does not know. Here the framework is a function from a
// context to what is answered, on plain node:http; yours will have a request and a reply of its own.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Tenant } from 'tenantry'
import { type ServeOptions, type ServingRouter, problemOf, requestGate } from 'tenantry/http'

export interface Context {
  /** Path and query as the app sees them. */
  readonly url: string
  readonly tenant: Tenant | undefined
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

export interface App {
  handle(context: Context): unknown
  fail(error: unknown, response: ServerResponse): unknown
}

/** Runs an app with each request's tenant as the ambient one. */
export function adapt(
  router: ServingRouter,
  app: App,
  options: ServeOptions<IncomingMessage> = {},
): RequestListener {
  const gate = requestGate(router, options)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request
    const verdict = await gate.admit({ request, method, url, headers })
    if (verdict.kind === 'redirect') {
      response.writeHead(verdict.status, { location: verdict.location }).end()
    } else if (verdict.kind === 'serve') {
      const { place } = verdict
      const tenant = place?.kind === 'tenant' ? place.tenant : undefined
      // Inside of `run`, so that the app's own error handling runs as the tenant, too.
      await verdict.run(async () => {
        try {
          await app.handle({ url: verdict.url, tenant, request, response })
        } catch (error) {
          await app.fail(error, response)
        }
      })
    } else if (gate.refusals === 'throw') {
      throw verdict.error
    } else {
      const headersOfProblem = { 'content-type': 'application/problem+json' }
      response.writeHead(verdict.error.status, headersOfProblem)
      response.end(JSON.stringify(problemOf(verdict.error)))
    }
  }

  return (request, response) => {
    answer(request, response).catch((error: unknown) => app.fail(error, response))
  }
}
