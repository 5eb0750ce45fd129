// What every adapter's subpath exports beside the adapter itself.
export { byHost, byPath, bySubdomain } from './by-address.js'
export type { PathOptions, SubdomainOptions } from './by-address.js'
export { byClaim, byHeader, firstOf } from './by-word.js'
export type { AskedRequest, FindTenant, Found, FoundWord, ServingRouter } from './found.js'
export type { ServeOptions } from './options.js'
export type { RequestPlace } from './place.js'
export { problemOf } from './refusal.js'
export type { Problem, Refusal, RefusalCode } from './refusal.js'
