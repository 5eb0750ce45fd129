import type { HostName } from '../names/domain-name.js'
import { type Slug, isSlug } from '../names/slug.js'
import type { Hearing } from '../postgres/channel-listener.js'
import type { Queryable } from '../postgres/queryable.js'
import { changeOf } from './change.js'
import { FlightControl, type Landed } from './flight.js'
import type { Landing } from './landing.js'
import { type KnownHost, type KnownTenant, type MemoryLimits, RegistryMemory } from './memory.js'
import type { TenantRegistry } from './registry.js'
import type { Tenant } from './tenant.js'

/** What look-ups are made of. */
export interface LookUpParts {
  readonly db: Queryable
  readonly registry: Pick<TenantRegistry, 'lookUp'>
  readonly limits: MemoryLimits
  /** Hears what other processes write. */
  readonly ear: Hearing
  /** Called before the registry is asked. */
  readonly onLookUp: () => void
}

/** Look-ups of tenants and hosts, answered from memory where it is not out of date. */
export class LookUps {
  readonly #memory: RegistryMemory
  readonly #flights: FlightControl

  constructor({ db, registry, limits, ear, onLookUp }: LookUpParts) {
    const memory = new RegistryMemory(limits, ear)
    this.#memory = memory
    this.#flights = new FlightControl(
      (question) => {
        onLookUp()
        return registry.lookUp(db, question)
      },
      (landed) => keep(memory, landed),
    )
  }

  /** The tenant with a slug. */
  async find(slug: string): Promise<Tenant | undefined> {
    if (!isSlug(slug)) return undefined
    const known = this.#memory.tenant(slug, performance.now())
    if (known !== undefined) return known.tenant
    const landed = await this.#flights.lookUp({ slug, host: undefined })
    return landed.tenants.get(slug)?.tenant
  }

  /** What is remembered of a tenant at this moment, without asking the registry. */
  peek(slug: string): Tenant | undefined {
    return this.#memory.tenant(slug, performance.now())?.tenant
  }

  /** As {@link LookUps.peek}, with the primary domain. @param now `performance.now()` */
  peekTenant(slug: string, now: number): KnownTenant | undefined {
    return this.#memory.tenant(slug, now)
  }

  /** What is remembered of a host at this moment. @param now `performance.now()` */
  peekHost(host: HostName, now: number): KnownHost | undefined {
    return this.#memory.host(host, now)
  }

  /** Asks the registry about a host, and about the slug that the host may stand for. */
  locate(host: HostName, slug: Slug | undefined): Promise<Landing> {
    return this.#flights.lookUp({ slug, host })
  }

  /** Call it when something of a tenant was written: its row, its domains, or that it is gone. */
  forgetTenant(slug: string): void {
    this.#memory.forgetTenant(slug)
    this.#flights.outdateTenant(slug)
  }

  /** Call it when a domain of a host was written. */
  forgetHost(host: string): void {
    this.#memory.forgetHost(host)
    this.#flights.outdateHost(host)
  }

  /** Takes in what another process has announced. */
  hear(payload: string): void {
    const change = changeOf(payload)
    if (change.kind === 'tenant') this.forgetTenant(change.slug)
    else this.forgetHost(change.host)
  }
}

function keep(memory: RegistryMemory, { tenants, hosts, outdated }: Landed): void {
  for (const [slug, known] of tenants) {
    if (!outdated.slugs.has(slug)) memory.keepTenant(slug, known)
  }
  for (const [host, known] of hosts) {
    if (!outdated.hosts.has(host)) memory.keepHost(host, known)
  }
}
