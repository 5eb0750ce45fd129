import { LRUCache } from 'lru-cache'

/** How long and how much a cache remembers. */
export interface LookupCacheOptions {
  readonly maxEntries: number
  readonly ttlMs: number
}

/** Answers by key from memory; misses are remembered too, and a key is looked up once at a time. */
export interface LookupCache<V> {
  get(key: string): Promise<V | undefined>
  /** What is remembered of a key at this moment, without looking it up. */
  peek(key: string): V | undefined
  forget(key: string): void
  clear(): void
}

/** A bounded cache in front of `load`. */
export function lookupCache<V>(
  options: LookupCacheOptions,
  load: (key: string) => Promise<V | undefined>,
): LookupCache<V> {
  const cache = new LRUCache<string, { readonly value: V | undefined }>({
    max: options.maxEntries,
    ttl: options.ttlMs,
    // By the millisecond, the cache would set a timer for nearly every look-up.
    ttlResolution: Math.ceil(options.ttlMs / 20),
    // A key that is forgotten while it is looked up still answers those who asked before.
    ignoreFetchAbort: true,
    fetchMethod: async (key) => ({ value: await load(key) }),
  })
  return {
    async get(key) {
      return (await cache.fetch(key))?.value
    },
    peek: (key) => cache.get(key)?.value,
    forget(key) {
      cache.delete(key)
    },
    clear() {
      cache.clear()
    },
  }
}
