import { EventEmitter } from 'node:events'
import type { PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg'

/**
 * One client in the shape of a `pg.Pool`, for tools that want a pool.
 *
 * Whoever connects while the client is out waits for its release, so a transaction of the tool is
 * never mixed with another statement of it. `end()` does nothing: the client is not the tool's.
 *
 * @example
 * import type { BridgeTarget } from 'tenantry/migrate'
 *
 * const countLoans = ({ pool }: BridgeTarget) => pool.query('select count(*) from loans')
 */
export class SingleClientPool extends EventEmitter {
  readonly #client: PoolClient
  #free: Promise<void> = Promise.resolve()

  /** @internal */
  constructor(client: PoolClient) {
    super()
    this.#client = client
  }

  /** Lends the client until it is released. */
  connect(): Promise<PoolClient> {
    const before = this.#free
    return new Promise((lend) => {
      this.#free = before.then(
        () => new Promise((free) => lend(lentClient(this.#client, () => free()))),
      )
    })
  }

  /** Runs one statement. */
  async query<Row extends QueryResultRow = QueryResultRow>(
    text: string | QueryConfig,
    values?: readonly unknown[],
  ): Promise<QueryResult<Row>> {
    const client = await this.connect()
    try {
      return await client.query<Row>(text, values && [...values])
    } finally {
      client.release()
    }
  }

  /** Does nothing; the client is taken back when the schema is done. */
  async end(): Promise<void> {}
}

/** The client as a tool sees it: it can neither close it nor give it back to the service's pool. */
export function lentClient(client: PoolClient, release: () => void = () => {}): PoolClient {
  const own: Readonly<Record<string | symbol, unknown>> = {
    release,
    end: async () => {},
    connect: async () => {},
  }
  return new Proxy(client, {
    get: (target, key) => {
      if (Object.hasOwn(own, key)) return own[key]
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' && key !== 'constructor' ? value.bind(target) : value
    },
    set: (target, key, value) => Reflect.set(target, key, value),
  })
}
