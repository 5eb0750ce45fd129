import type { Hearing } from '../postgres/channel-listener.js'
import { Generations } from '../support/generations.js'
import type { Domain, Tenant } from './tenant.js'

/** How long and how much a process remembers. */
export interface MemoryLimits {
  /** How many tenants, and how many hosts; as many again that lead nowhere. */
  readonly maxEntries: number
  /** For how long, in milliseconds, while what others write is heard. */
  readonly ttlMs: number
}

/** What is remembered of a slug. */
export interface KnownTenant {
  /** When the registry was asked, by `performance.now()`. */
  readonly at: number
  /** `undefined` when nobody has the slug. */
  readonly tenant: Tenant | undefined
  readonly primary: Domain | undefined
}

/** What is remembered of a host. */
export interface KnownHost {
  readonly at: number
  /** The domain with the longest path first. */
  readonly domains: readonly Domain[]
}

/** While what others write is not heard: a tenant that was suspended is served no longer than that. */
const SHORT_TTL_MS = 900

/** What one process remembers of the registry; it answers with nothing that may be out of date. */
export class RegistryMemory {
  readonly #ttlMs: number
  readonly #shortMs: number
  readonly #hearing: Hearing
  readonly #tenants: Recall<KnownTenant>
  readonly #hosts: Recall<KnownHost>

  constructor({ maxEntries, ttlMs }: MemoryLimits, hearing: Hearing) {
    this.#ttlMs = ttlMs
    this.#shortMs = Math.min(ttlMs, SHORT_TTL_MS)
    this.#hearing = hearing
    this.#tenants = new Recall(maxEntries)
    this.#hosts = new Recall(maxEntries)
  }

  /** @param now `performance.now()` */
  tenant(slug: string, now: number): KnownTenant | undefined {
    const known = this.#tenants.get(slug)
    return known !== undefined && this.#isFresh(known.at, now) ? known : undefined
  }

  /** @param now `performance.now()` */
  host(host: string, now: number): KnownHost | undefined {
    const known = this.#hosts.get(host)
    return known !== undefined && this.#isFresh(known.at, now) ? known : undefined
  }

  keepTenant(slug: string, known: KnownTenant): void {
    this.#tenants.set(slug, known, known.tenant !== undefined)
  }

  keepHost(host: string, known: KnownHost): void {
    this.#hosts.set(host, known, known.domains.length > 0)
  }

  forgetTenant(slug: string): void {
    this.#tenants.delete(slug)
  }

  forgetHost(host: string): void {
    this.#hosts.delete(host)
  }

  #isFresh(at: number, now: number): boolean {
    const { since, until } = this.#hearing
    return now - at < (now < until && at >= since ? this.#ttlMs : this.#shortMs)
  }
}

/** Keeps what leads somewhere apart from what does not: a flood of unknown names displaces nobody. */
class Recall<V> {
  readonly #known: Generations<V>
  readonly #unknown: Generations<V>

  constructor(maxEntries: number) {
    this.#known = new Generations(maxEntries)
    this.#unknown = new Generations(maxEntries)
  }

  get(key: string): V | undefined {
    return this.#known.get(key) ?? this.#unknown.get(key)
  }

  set(key: string, value: V, leads: boolean): void {
    const [home, other] = leads ? [this.#known, this.#unknown] : [this.#unknown, this.#known]
    home.set(key, value)
    other.delete(key)
  }

  delete(key: string): void {
    this.#known.delete(key)
    this.#unknown.delete(key)
  }
}
