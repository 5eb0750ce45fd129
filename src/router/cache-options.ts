import type { MemoryLimits } from '../registry/memory.js'
import { optionInvalid, refuseUnknown, wholeNumber } from '../support/options.js'

/** What a process remembers of the registry. */
export interface CacheOptions {
  /**
   * For how long, in milliseconds, while what other processes write is heard; otherwise for no more
   * than 900.
   *
   * @defaultValue `5_000`
   */
  readonly ttl?: number
  /** How many tenants and how many hosts, and as many of both that do not exist. @defaultValue `10_000` */
  readonly maxEntries?: number
  /**
   * Hears what other processes write, on one connection beside the pool, which is made with the first
   * look-up. `connectionString` leads it around a pooler in transaction mode, where nothing is heard.
   *
   * @defaultValue `true`
   */
  readonly listen?: boolean | { readonly connectionString: string }
}

/** Options with their defaults. */
export interface ResolvedCacheOptions extends MemoryLimits {
  readonly listen: boolean
  readonly connectionString: string | undefined
}

/** Checks the options. */
export function resolveCacheOptions(options: CacheOptions): ResolvedCacheOptions {
  refuseUnknown('cache.', options, ['ttl', 'maxEntries', 'listen'])
  const { listen = true } = options
  return {
    ttlMs: wholeNumber('cache.ttl', options.ttl ?? 5_000, 1),
    maxEntries: wholeNumber('cache.maxEntries', options.maxEntries ?? 10_000, 2),
    listen: listen !== false,
    connectionString: directConnection(listen),
  }
}

function directConnection(listen: unknown): string | undefined {
  if (typeof listen === 'boolean') return undefined
  if (typeof listen === 'object' && listen !== null) {
    refuseUnknown('cache.listen.', listen, ['connectionString'])
    const connectionString: unknown = Reflect.get(listen, 'connectionString')
    if (typeof connectionString === 'string') return connectionString
  }
  throw optionInvalid(
    'cache.listen',
    'Option "cache.listen" must be true, false, or { connectionString } of a direct connection.',
  )
}
