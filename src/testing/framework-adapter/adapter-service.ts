import type { ServeOptions } from '../../adapters/request/options.js'
import type { Tenant } from '../../registry/tenant.js'
import type { SchemaRouter } from '../../router/schema-router.js'

/** A service that the tested adapter serves: start it with your framework, in the framework's ways. */
export interface AdapterService {
  readonly router: SchemaRouter
  /** The options that the adapter is given. */
  readonly options: ServeOptions
  /**
   * Answers each GET below `/get/` with what this returns or resolves to, as JSON. It may throw, too.
   *
   * `url` is what the app sees; `tenant` is the adapter's word for the tenant of the request.
   */
  readonly get: (request: { readonly url: string; readonly tenant: Tenant | undefined }) => unknown
  /** Answers POST `/json`, whose body the framework has parsed, as JSON. */
  readonly json: (body: unknown) => Promise<unknown>
  /** Answers POST `/upload`, whose body the framework leaves alone, as JSON. */
  readonly upload: (body: AsyncIterable<Uint8Array>) => Promise<unknown>
  /** Answers GET `/download` with a body that is streamed from this, and is ended with the client. */
  readonly download: () => AsyncIterable<string>
  /** Called in the framework's error handler, which answers with this as JSON and the status 500. */
  readonly failed: (error: unknown) => unknown
}

/** A service that was started. */
export interface StartedService {
  /** Such as `http://127.0.0.1:3000`. */
  readonly url: string
  readonly close: () => Promise<void>
}

/** Starts a service on a free port. */
export type StartService = (service: AdapterService) => Promise<StartedService>
