import pg from 'pg'
import type { Client, ClientConfig, Pool } from 'pg'
import { log } from '../diagnostics/log.js'
import { quoteIdent } from '../names/schema-name.js'
import { backoffMs } from '../support/backoff.js'
import { sendHeartbeat } from './heartbeat.js'
import { configOf } from './pool-config.js'
import { isDirect } from './pooler.js'
import { toError } from './sql-state.js'

/** From when until when nothing that was announced can have been missed, by `performance.now()`. */
export interface Hearing {
  /** The server has announced everything from this moment on. */
  readonly since: number
  /** Whatever was announced is heard by then, or the connection is not to be trusted. */
  readonly until: number
}

/** What a {@link ChannelListener} is made of. */
export interface ListenerParts {
  /** Its settings are those of the connection; none of its clients is taken. */
  readonly pool: Pool
  /** Where to connect instead, for example around a pooler. */
  readonly connectionString: string | undefined
  readonly channel: string
  readonly onPayload: (payload: string) => void
  /** A pooler in between keeps one backend per client for a whole session. */
  readonly poolerKeepsSession: boolean
}

/** For so long a server that gave a sign of life is believed to be heard. */
const TRUST_MS = 900
const HEARTBEAT_MS = 300
/** A connection that is silent for so long is made anew. */
const SILENCE_MS = 3_000
const BACKOFF_MS = { base: 100, max: 10_000 }
const CONNECT_MS = 10_000
const GOODBYE_MS = 1_000

const debug = log('registry')

/**
 * Hears one channel on a connection of its own, which is made again when it is lost.
 *
 * A connection can be dead without a word, so it is asked for a sign of life again and again: what
 * is announced between the last one and the silence must not be missed for long. Neither the
 * connection nor its timers keep the process alive.
 */
export class ChannelListener implements Hearing {
  since: number = Number.POSITIVE_INFINITY
  until: number = Number.NEGATIVE_INFINITY
  readonly #parts: ListenerParts
  readonly #closing = new AbortController()
  #running: Promise<void> | undefined

  constructor(parts: ListenerParts) {
    this.#parts = parts
  }

  /** Begins to listen; does nothing when it has begun or was closed. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#deaf()
    this.#running ??= Promise.resolve()
    await this.#running
  }

  /** Whoever ends the pool has no use for the listener either. */
  get #over(): boolean {
    return this.#closing.signal.aborted || this.#parts.pool.ending
  }

  #deaf(): void {
    this.since = Number.POSITIVE_INFINITY
    this.until = Number.NEGATIVE_INFINITY
  }

  async #run(): Promise<void> {
    let attempt = 0
    while (!this.#over) {
      attempt += 1
      try {
        await this.#listen(() => (attempt = 0))
      } catch (error) {
        debug('what other processes write is not heard: %s', toError(error).message)
        if (error instanceof PoolerInBetween) return
      } finally {
        this.#deaf()
      }
      if (!this.#over) await this.#pause(backoffMs(attempt + 1, BACKOFF_MS.base, BACKOFF_MS.max))
    }
  }

  /** Listens until the connection is lost. */
  async #listen(onHeard: () => void): Promise<void> {
    const { channel, onPayload } = this.#parts
    const client = new pg.Client(this.#config())
    const lost = new Promise<Error>((resolve) => {
      client.on('error', resolve)
      client.on('end', () => resolve(new Error('the connection has ended')))
    })
    const end = (): void => void hangUp(client)
    this.#closing.signal.addEventListener('abort', end, { once: true })
    try {
      // Of a client that is ended while it connects, `connect` says nothing any more.
      await Promise.race([client.connect(), lost.then((reason) => Promise.reject(reason))])
      streamOf(client)?.unref()
      await this.#requireSession(client)
      client.on('notification', ({ payload = '' }) => onPayload(payload))
      const asked = performance.now()
      await client.query(`listen ${quoteIdent(channel)}`)
      this.since = performance.now()
      this.until = asked + TRUST_MS
      onHeard()
      debug('listening to what other processes write')
      const stop = this.#keepAlive(client)
      const reason = await lost.finally(stop)
      if (!this.#over) throw reason
    } finally {
      this.#closing.signal.removeEventListener('abort', end)
      await hangUp(client)
    }
  }

  #config(): ClientConfig {
    const own = configOf(this.#parts.pool)
    const { connectionString = own.connectionString } = this.#parts
    return {
      ...own,
      keepAlive: true,
      query_timeout: 0,
      pipeline: false,
      ...(connectionString !== undefined && { connectionString }),
      connectionTimeoutMillis: own.connectionTimeoutMillis || CONNECT_MS,
    }
  }

  /** A pooler in transaction mode would keep the LISTEN on a backend that it hands to others. */
  async #requireSession(client: Client): Promise<void> {
    if (this.#parts.poolerKeepsSession) return
    const { rows } = await client.query<{ pid: string }>('select pg_backend_pid()::text as pid')
    if (!isDirect(client, rows[0]?.pid)) throw new PoolerInBetween()
  }

  #keepAlive(client: Client): () => void {
    let asked: number | undefined
    const timer = setInterval(() => {
      if (this.#over) {
        void hangUp(client)
        return
      }
      const now = performance.now()
      if (asked !== undefined) {
        if (now - asked > SILENCE_MS) streamOf(client)?.destroy()
        return
      }
      asked = now
      sendHeartbeat(client, (error) => {
        asked = undefined
        if (error === null) this.until = now + TRUST_MS
      })
    }, HEARTBEAT_MS)
    timer.unref()
    return () => clearInterval(timer)
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#closing
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref()
      signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
    })
  }
}

/** Ends a connection, whether the server says goodbye or not; who waits for that is kept alive. */
async function hangUp(client: Client): Promise<void> {
  const stream = streamOf(client)
  stream?.ref()
  const timer = setTimeout(() => stream?.destroy(), GOODBYE_MS)
  await client.end().catch(() => {})
  clearTimeout(timer)
}

interface Stream {
  ref(): void
  unref(): void
  destroy(): void
}

/** The socket of a client; TLS has put another one in the place of the first. */
function streamOf(client: Client): Stream | undefined {
  const connection: unknown = Reflect.get(client, 'connection')
  return hasStream(connection) ? connection.stream : undefined
}

function hasStream(input: unknown): input is { readonly stream: Stream } {
  return typeof input === 'object' && input !== null && 'stream' in input
}

class PoolerInBetween extends Error {
  constructor() {
    super(
      'a pooler is in between, which may hand each statement to another backend; give a direct ' +
        'connection with cache.listen.connectionString, or set scope.pooler to "session"',
    )
  }
}
