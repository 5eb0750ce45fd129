import type { HostName } from '../names/domain-name.js'
import type { Slug } from '../names/slug.js'
import { type Landing, landingOf } from './landing.js'
import type { LookUpAnswer, LookUpQuestion } from './registry.js'

/** One thing to look up: a slug, a host, or a host together with the slug that it may stand for. */
export interface Wanted {
  readonly slug: Slug | undefined
  readonly host: HostName | undefined
}

/** An answer of the registry. */
export interface Landed extends Landing {
  /** Slugs and hosts that changed meanwhile: what the answer says of them is not to be kept. */
  readonly outdated: Outdated
}

/** Slugs and hosts of which the registry says something else by now. */
export interface Outdated {
  readonly slugs: ReadonlySet<string>
  readonly hosts: ReadonlySet<string>
}

/** How many questions are put at the same time; a flood must not take every client of the pool. */
const MAX_IN_AIR = 4

class Flight {
  readonly slugs = new Set<Slug>()
  readonly hosts = new Set<HostName>()
  readonly keys = new Set<string>()
  readonly outdated = { slugs: new Set<string>(), hosts: new Set<string>() }
  readonly landed: Promise<Landed>
  land: (landed: Landed) => void = () => {}
  crash: (error: unknown) => void = () => {}

  constructor() {
    this.landed = new Promise((resolve, reject) => {
      this.land = resolve
      this.crash = reject
    })
  }
}

/**
 * Puts questions to the registry: each at once while there are few, and many together in one query
 * when there are more. What is asked for already is not asked for twice.
 */
export class FlightControl {
  readonly #ask: (question: LookUpQuestion) => Promise<LookUpAnswer>
  readonly #onLanded: (landed: Landed) => void
  /** Flights that still take passengers, by what they look up. */
  readonly #open = new Map<string, Flight>()
  readonly #inAir = new Set<Flight>()
  #waiting: Flight | undefined

  /** @param onLanded Hears of each answer before those who asked. */
  constructor(
    ask: (question: LookUpQuestion) => Promise<LookUpAnswer>,
    onLanded: (landed: Landed) => void,
  ) {
    this.#ask = ask
    this.#onLanded = onLanded
  }

  lookUp(wanted: Wanted): Promise<Landed> {
    const key = keyOf(wanted)
    const open = this.#open.get(key)
    if (open !== undefined) return open.landed
    const flight = this.#nextFlight()
    flight.keys.add(key)
    if (wanted.slug !== undefined) flight.slugs.add(wanted.slug)
    if (wanted.host !== undefined) flight.hosts.add(wanted.host)
    this.#open.set(key, flight)
    if (flight !== this.#waiting) this.#depart(flight)
    return flight.landed
  }

  /** Something of a tenant has changed: who asks from now on must not be told what was before. */
  outdateTenant(slug: string): void {
    this.#outdate(({ slugs }) => slugs.add(slug))
  }

  /** Something of a host has changed; see {@link FlightControl.outdateTenant}. */
  outdateHost(host: string): void {
    this.#outdate(({ hosts }) => hosts.add(host))
  }

  /** A flight in the air may bring tenants that nobody knew it would, so none takes passengers. */
  #outdate(note: (outdated: Flight['outdated']) => void): void {
    for (const flight of this.#inAir) {
      note(flight.outdated)
      this.#close(flight)
    }
  }

  #nextFlight(): Flight {
    if (this.#inAir.size < MAX_IN_AIR) return new Flight()
    this.#waiting ??= new Flight()
    return this.#waiting
  }

  #depart(flight: Flight): void {
    this.#inAir.add(flight)
    void this.#fly(flight).finally(() => {
      const next = this.#waiting
      this.#waiting = undefined
      if (next !== undefined) this.#depart(next)
    })
  }

  async #fly(flight: Flight): Promise<void> {
    const question = { slugs: [...flight.slugs], hosts: [...flight.hosts] }
    const at = performance.now()
    try {
      const answer = await this.#ask(question)
      const landed = { ...landingOf(question, answer, at), outdated: flight.outdated }
      this.#onLanded(landed)
      flight.land(landed)
    } catch (error) {
      flight.crash(error)
    } finally {
      this.#inAir.delete(flight)
      this.#close(flight)
    }
  }

  #close(flight: Flight): void {
    for (const key of flight.keys) if (this.#open.get(key) === flight) this.#open.delete(key)
  }
}

function keyOf({ slug, host }: Wanted): string {
  return host === undefined ? `slug ${slug}` : `host ${host}`
}
