import type { Submittable, WireConnection } from './wire.js'

/** Stands in for a statement towards pg's client, and passes everything through. */
export class StatementView {
  protected readonly inner: Submittable

  constructor(inner: Submittable) {
    this.inner = inner
  }

  get text(): string | undefined {
    return this.inner.text
  }

  get callback(): Submittable['callback'] {
    return this.inner.callback
  }

  set callback(callback: Submittable['callback']) {
    this.inner.callback = callback
  }

  /** pg looks for this member on what it is given, in milliseconds. */
  get query_timeout(): unknown {
    return Reflect.get(this.inner, 'query_timeout')
  }

  /** pg hands its type parsers to this member of a query. */
  get _result(): unknown {
    return Reflect.get(this.inner, '_result')
  }

  handleRowDescription(message: unknown, connection: WireConnection): void {
    this.inner.handleRowDescription?.(message, connection)
  }

  handlePortalSuspended(connection: WireConnection): void {
    this.inner.handlePortalSuspended?.(connection)
  }

  handleEmptyQuery(connection: WireConnection): void {
    this.inner.handleEmptyQuery?.(connection)
  }

  handleCopyInResponse(connection: WireConnection): void {
    this.inner.handleCopyInResponse?.(connection)
  }

  handleCopyData(message: unknown, connection: WireConnection): void {
    this.inner.handleCopyData?.(message, connection)
  }
}
