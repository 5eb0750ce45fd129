import assert from 'node:assert/strict'
import type { Pool, PoolClient } from 'pg'
import { HOST_PAYLOAD } from '../../registry/change.js'
import { type Check, expectError } from './check.js'
import { withEar } from './ear.js'

/** What is expected of a registry in the transactions of its caller. */
export const transactionChecks: Readonly<Record<string, Check>> = {
  'shows what a transaction writes to nobody else before the commit': async (place) => {
    const { registry, pool } = place
    const slug = place.slug('acme')
    await place.transaction('commit', async (client) => {
      await registry.insert(client, place.order('acme'))
      assert.equal((await registry.findBySlug(client, slug))?.slug, slug)
      assert.equal(await registry.findBySlug(pool, slug), undefined)
    })
    assert.equal((await registry.findBySlug(pool, slug))?.slug, slug)
  },

  'forgets what is rolled back': async (place) => {
    const { registry, pool } = place
    const before = await place.insert('stays', { metadata: { plan: 'free' } })
    const domain = place.domain('stays')
    await registry.addDomain(pool, place.slug('stays'), domain)
    await place.transaction('rollback', async (client) => {
      await registry.insert(client, place.order('acme'))
      await registry.addDomain(client, place.slug('acme'), place.domain('acme'))
      await registry.update(client, place.slug('stays'), { metadata: { plan: 'gold' } })
      await registry.removeDomain(client, place.slug('stays'), domain)
      await registry.remove(client, place.slug('stays'))
    })
    assert.equal(await registry.findBySlug(pool, place.slug('acme')), undefined)
    assert.deepEqual(await registry.findBySlug(pool, place.slug('stays')), before)
    assert.equal((await registry.domainsOf(pool, place.slug('stays'))).length, 1)
    await registry.insert(pool, place.order('acme'))
  },

  'forgets what is rolled back to a savepoint, and keeps what is released': async (place) => {
    const { registry, pool } = place
    await place.transaction('commit', async (client) => {
      await registry.insert(client, place.order('first'))
      await client.query('savepoint one')
      await registry.insert(client, place.order('undone'))
      await client.query('rollback to one')
      await client.query('savepoint two')
      await registry.insert(client, place.order('kept'))
      await client.query('release two')
      await client.query('savepoint three')
      await registry.insert(client, place.order('last-undone'))
      await client.query('rollback to three')
    })
    const names = ['first', 'undone', 'kept', 'last-undone']
    const found = await Promise.all(
      names.map((name) => registry.findBySlug(pool, place.slug(name))),
    )
    assert.deepEqual(
      found.map((tenant) => tenant !== undefined),
      [true, false, true, false],
    )
  },

  'forgets what is lost with its connection': async (place) => {
    const { registry, pool } = place
    const client = await pool.connect()
    client.on('error', () => {})
    try {
      await client.query('begin')
      await registry.insert(client, place.order('acme'))
    } finally {
      client.release(true)
    }
    await registry.insert(pool, place.order('acme'))
  },

  'gives a slug to one of two who ask for it at once': async (place) => {
    const { registry, pool } = place
    const attempts = Array.from({ length: 2 }, () =>
      place.transaction('commit', (client) => registry.insert(client, place.order('acme'))),
    )
    const results = await Promise.allSettled(attempts)
    assert.deepEqual(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
    for (const result of results) {
      if (result.status === 'rejected') {
        await expectError('TENANT_EXISTS', Promise.reject(result.reason))
      }
    }
    assert.notEqual(await registry.findBySlug(pool, place.slug('acme')), undefined)
  },

  'has who wants the same slug wait until it is decided': async (place) => {
    const { registry, pool } = place
    const order = place.order('acme')
    let second: Promise<unknown> = Promise.resolve()
    await place.transaction('rollback', async (client) => {
      await registry.insert(client, order)
      second = registry.insert(pool, order)
      second.catch(() => {})
      await untilSomebodyWaitsFor(client, pool)
    })
    await second
  },

  'loses no change of two that are made at once': async (place) => {
    const { registry, pool } = place
    const { slug, schema } = await place.insert('acme')
    await Promise.all([
      registry.update(pool, place.slug('acme'), { name: 'Acme' }),
      registry.update(pool, place.slug('acme'), { metadata: { plan: 'gold' } }),
      registry.setStatus(pool, place.slug('acme'), 'suspended'),
    ])
    const { name, metadata, status, ...after } =
      (await registry.findBySlug(pool, place.slug('acme'))) ?? assert.fail()
    assert.deepEqual([name, metadata, status], ['Acme', { plan: 'gold' }, 'suspended'])
    assert.deepEqual([after.slug, after.schema], [slug, schema])
  },

  'announces on its channel what was committed, and nothing else': async (place) => {
    const { registry, pool } = place
    const { channel } = registry
    if (channel === undefined) return
    const slug = place.slug('acme')
    const domain = place.domain('acme')
    const writes: readonly (() => Promise<unknown>)[] = [
      () => registry.insert(pool, place.order('acme')),
      () => registry.addDomain(pool, slug, { ...domain, verified: false }),
      () => registry.verifyDomain(pool, slug, domain),
      () => registry.setPrimaryDomain(pool, slug, domain),
      () => registry.removeDomain(pool, slug, domain),
      () => registry.update(pool, slug, { name: 'Acme' }),
      () => registry.setStatus(pool, slug, 'suspended'),
      () => registry.remove(pool, slug),
    ]
    await withEar(pool, channel, async (ear) => {
      await place.transaction('rollback', (client) => registry.insert(client, place.order('never')))
      for (const write of writes) await ear.hears(slug, write)
      await registry.insert(pool, place.order('acme'))
      await ear.hears(HOST_PAYLOAD + domain.host, () => registry.addDomain(pool, slug, domain))
      await ear.hears(HOST_PAYLOAD + domain.host, () => registry.remove(pool, slug))
      assert.equal(ear.heard.includes(place.slug('never')), false)
    })
  },
}

/** Waits until some statement waits for the client's transaction. */
async function untilSomebodyWaitsFor(client: PoolClient, pool: Pool): Promise<void> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  for (;;) {
    const waiting = await pool.query(
      'select from pg_locks where not granted and $1 = any (pg_blocking_pids(pid))',
      [rows[0]?.pid],
    )
    if (waiting.rowCount !== 0) return
  }
}
