import { EventEmitter, once } from 'node:events'
import type { Pool } from 'pg'
import { describe, expect, it, vi } from 'vitest'
import { ChannelListener } from '../../src/postgres/channel-listener.js'
import { useDatabase } from '../support/database.js'
import { type SilentProxy, openSilentProxy } from '../support/silent-proxy.js'

const database = useDatabase()
const PATIENCE = { timeout: 20_000, interval: 20 }

interface Heard extends AsyncDisposable {
  readonly listener: ChannelListener
  readonly pool: Pool
  readonly payloads: readonly string[]
  /** Announces something, and waits until it is heard. */
  hear(payload: string): Promise<void>
  /** Waits until what is announced cannot be missed. */
  untilTrusted(since?: number): Promise<void>
}

/** A listener of a channel of its own, on a connection by way of the proxy. */
function listen(proxy: SilentProxy): Heard {
  const channel = `test_${database.prefix()}`
  const pool = database.pool()
  const heard = new EventEmitter()
  const payloads: string[] = []
  const listener = new ChannelListener({
    pool,
    connectionString: proxy.url,
    channel,
    onPayload: (payload) => {
      payloads.push(payload)
      heard.emit(payload)
    },
    poolerKeepsSession: false,
  })
  listener.start()
  return {
    listener,
    pool,
    payloads,
    hear: async (payload) => {
      const hearing = once(heard, payload)
      await database.admin.query('select pg_notify($1, $2)', [channel, payload])
      await hearing
    },
    untilTrusted: (since = 0) =>
      vi.waitFor(() => {
        expect(listener.since).toBeGreaterThan(since)
        expect(listener.since).toBeLessThan(Number.POSITIVE_INFINITY)
        expect(listener.until).toBeGreaterThan(performance.now())
      }, PATIENCE),
    [Symbol.asyncDispose]: () => listener.close(),
  }
}

describe('ChannelListener', () => {
  it('hears what is announced, on a connection of its own', async () => {
    await using proxy = await openSilentProxy(database.url)
    await using heard = listen(proxy)
    expect(heard.listener.until).toBeLessThan(performance.now())
    await heard.untilTrusted()
    await heard.hear('one')
    await heard.hear('two')
    expect(heard.payloads).toEqual(['one', 'two'])
    expect(heard.pool.totalCount).toBe(0)
    expect(proxy.connections).toBe(1)
  })

  it('stays trusted for as long as the server answers', async () => {
    await using proxy = await openSilentProxy(database.url)
    await using heard = listen(proxy)
    await heard.untilTrusted()
    const { since, until } = heard.listener
    await vi.waitFor(() => expect(heard.listener.until).toBeGreaterThan(until + 600), PATIENCE)
    expect(heard.listener.since).toBe(since)
    expect(proxy.connections).toBe(1)
  })

  it('notices a connection that is dead without a word, and makes another one', async () => {
    await using proxy = await openSilentProxy(database.url)
    await using heard = listen(proxy)
    await heard.untilTrusted()
    const { since } = heard.listener
    const next = proxy.nextConnection()
    proxy.silence()
    await vi.waitFor(() => expect(heard.listener.until).toBeLessThan(performance.now()), PATIENCE)
    await next
    await heard.untilTrusted(since)
    await heard.hear('after the silence')
  })

  it('hears again after its backend was terminated', async () => {
    await using proxy = await openSilentProxy(database.url)
    await using heard = listen(proxy)
    await heard.untilTrusted()
    const { since } = heard.listener
    const next = proxy.nextConnection()
    await database.admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and query like 'listen %'`,
    )
    await next
    await heard.untilTrusted(since)
    await heard.hear('after the end')
    expect(heard.payloads).toEqual(['after the end'])
  })

  it('waits longer after each attempt that fails, and hears again when one succeeds', async () => {
    await using proxy = await openSilentProxy(database.url)
    await using heard = listen(proxy)
    await heard.untilTrusted()
    const attempts: number[] = []
    proxy.refuse()
    while (attempts.length < 4) {
      await proxy.nextConnection()
      attempts.push(performance.now())
    }
    expect(heard.listener.until).toBeLessThan(performance.now())
    const pauses = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0))
    // A busy machine makes a pause longer, and never shorter.
    for (const [index, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThan(100 * 2 ** index - 10)
    }
    proxy.accept()
    await heard.untilTrusted()
    await heard.hear('at last')
  })

  it('ends by close while it is connected, silent or between two attempts', async () => {
    await using proxy = await openSilentProxy(database.url)
    for (const lose of [() => {}, proxy.silence, proxy.refuse]) {
      proxy.accept()
      const heard = listen(proxy)
      await heard.untilTrusted()
      lose()
      await heard.listener.close()
      expect(heard.listener.until).toBe(Number.NEGATIVE_INFINITY)
    }
    await vi.waitFor(async () => {
      const { rows } = await database.admin.query(
        `select from pg_stat_activity where datname = current_database() and query like 'listen %'`,
      )
      expect(rows).toEqual([])
    }, PATIENCE)
  })

  it('ends with the pool that it belongs to', async () => {
    await using proxy = await openSilentProxy(database.url)
    await using heard = listen(proxy)
    await heard.untilTrusted()
    await heard.pool.end()
    await vi.waitFor(() => expect(heard.listener.since).toBe(Number.POSITIVE_INFINITY), PATIENCE)
    expect(proxy.connections).toBe(1)
  })

  it('does nothing when it was closed before it began', async () => {
    await using proxy = await openSilentProxy(database.url)
    const listener = new ChannelListener({
      pool: database.pool(),
      connectionString: proxy.url,
      channel: 'never',
      onPayload: () => {},
      poolerKeepsSession: false,
    })
    await listener.close()
    listener.start()
    expect(proxy.connections).toBe(0)
  })
})
