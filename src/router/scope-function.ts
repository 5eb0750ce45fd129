import type { ScopedClient } from '../scope/scoped-client.js'

/** A function that is lent a client for one schema. */
export type ScopeFunction<R> = (db: ScopedClient) => R | Promise<R>
