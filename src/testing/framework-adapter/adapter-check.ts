import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServeOptions } from '../../adapters/request/options.js'
import type { SchemaRouter } from '../../router/schema-router.js'
import type { AdapterService, StartService } from './adapter-service.js'
import { type Answer, type Question, ask } from './ask.js'
import type { AdapterFleet } from './fleet.js'
import { isError, reasonOf } from '../../support/is-error.js'

/** One thing that is expected of an adapter; it throws where the adapter does otherwise. */
export type AdapterCheck = (bench: AdapterBench) => Promise<void>

type Handlers = Partial<Omit<AdapterService, 'router' | 'options'>>

/** A service under test, as long as a function runs. */
export interface RunningService {
  readonly url: string
  readonly ask: (path: string, question?: Question) => Promise<Answer>
}

/** Where the checks of an adapter run. */
export class AdapterBench {
  readonly router: SchemaRouter
  readonly fleet: AdapterFleet
  readonly #start: StartService

  constructor(parts: { router: SchemaRouter; fleet: AdapterFleet; start: StartService }) {
    this.router = parts.router
    this.fleet = parts.fleet
    this.#start = parts.start
  }

  /** Starts a service for as long as `fn` runs. What it is not told, it answers with {@link who}. */
  async serve<R>(
    options: ServeOptions,
    handlers: Handlers,
    fn: (service: RunningService) => Promise<R>,
  ): Promise<R> {
    const { url, close } = await this.#start(this.#service(options, handlers))
    try {
      return await fn({ url, ask: (path, question) => ask(url + path, question) })
    } finally {
      await close()
    }
  }

  #service(options: ServeOptions, handlers: Handlers): AdapterService {
    return {
      router: this.router,
      options,
      get: ({ url, tenant }) => this.who(url, tenant?.slug),
      json: async (body) => ({ body, ...(await this.who()) }),
      upload: async () => this.who(),
      download: () => noParts(),
      failed: (error) => ({ error: reasonOf(error) }),
      ...handlers,
    }
  }

  /** What the running code is served as: by the ambient tenant, the adapter, and the tenant's own row. */
  async who(url?: string, told?: string): Promise<Who> {
    const ambient = this.router.tryCurrent()?.slug ?? null
    return { url: url ?? '', ambient, told: told ?? null, row: await this.row() }
  }

  /** The row of the ambient tenant's table, or why there is none. */
  async row(): Promise<string> {
    try {
      const { rows } = await this.router.pool.query<{ word: string }>('select word from marks')
      return rows.map(({ word }) => word).join()
    } catch (error) {
      return codeOf(error)
    }
  }

  /** Expects that an answer was made as one tenant, in every way. */
  expectServed({ status, body }: Answer, slug: string, url: string): void {
    assert.equal(status, 200, body)
    const told: unknown = JSON.parse(body)
    assert.deepEqual(told, { url, ambient: slug, told: slug, row: slug })
  }

  /** Waits until all clients of the pool are back; fails with the runner's limit of time. */
  async untilReturned(): Promise<void> {
    const { pool } = this.router
    while (pool.totalCount !== pool.idleCount || pool.waitingCount > 0) {
      await once(pool, 'release')
    }
  }
}

/** What {@link AdapterBench.who} tells. */
export interface Who {
  readonly url: string
  readonly ambient: string | null
  readonly told: string | null
  readonly row: string
}

async function* noParts(): AsyncGenerator<string> {}

/** The code of an error of the package or of PostgreSQL. */
export function codeOf(error: unknown): string {
  const code: unknown = isError(error) ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' ? code : String(error)
}

/** Expects an answer of `application/problem+json`. */
export function expectProblem(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status, answer.body)
  assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json\b/)
  const { title, detail, ...rest } = JSON.parse(answer.body) as Record<string, unknown>
  assert.deepEqual(rest, { status, code })
  assert.equal(typeof title, 'string')
  assert.equal(typeof detail, 'string')
}
