import { once } from 'node:events'
import type { Notification } from 'pg'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type Lender, useFleet } from '../support/lenders.js'
import { WAYS } from './way.js'

const database = useDatabase()
const given = useFleet(database, { pool: { max: 2 } })

describe('a notice', () => {
  it('is heard on a client of router.pool', async () => {
    const { router, acme } = given()
    const client = await router.runAs(acme.slug, () => router.pool.connect())
    try {
      const notices: (string | undefined)[] = []
      client.on('notice', ({ message }) => notices.push(message))
      await client.query(`do $$ begin raise notice 'in %', current_schema; end $$`)
      await client.query(`select 1; do $$ begin raise notice 'again'; end $$`)
      expect(notices).toEqual([`in ${acme.schema}`, 'again'])
    } finally {
      client.removeAllListeners('notice')
      client.release()
    }
  })

  it.each([
    `insert into notes (body) values ('a')`,
    `select 1; select 2`,
    `call quiet()`,
    `begin; select 1; commit`,
  ])('is never raised by what carries the scope: %s', async (text) => {
    const { router, acme } = given()
    await database.admin.query(
      `create or replace procedure ${acme.schema}.quiet() language sql as 'select 1'`,
    )
    const client = await router.runAs(acme.slug, () => router.pool.connect())
    const notices: unknown[] = []
    const hear = (notice: unknown): number => notices.push(notice)
    client.on('notice', hear)
    await client.query(text)
    client.off('notice', hear)
    client.release()
    expect(notices).toEqual([])
  })
})

describe('LISTEN', () => {
  it('hears on a client of router.pool what other scopes notify', async () => {
    const { router, acme, beta } = given()
    const client = await router.runAs(acme.slug, () => router.pool.connect())
    try {
      await client.query('listen news')
      const heard = once(client, 'notification')
      await router.withTenant(beta.slug, (db) => db.query(`select pg_notify('news', $1)`, ['b']))
      expect(await heard).toMatchObject([{ channel: 'news', payload: 'b' }])
    } finally {
      client.removeAllListeners('notification')
      client.release()
    }
  })

  it('ends with its scope', async () => {
    const { router, acme } = given()
    const pid = await router.withTenant(acme.slug, async (db) => {
      await db.query('listen news')
      return pidOf(await db.query<{ pid: number }>('select pg_backend_pid() as pid'))
    })
    const { rows } = await router.withTenant(acme.slug, (db) =>
      db.query<{ pid: number; n: number }>(
        `select pg_backend_pid() as pid, (select count(*)::int from pg_listening_channels()) as n`,
      ),
    )
    expect(rows).toEqual([{ pid, n: 0 }])
  })
})

describe.each(WAYS)('NOTIFY through $name', ({ run }) => {
  async function heardBy(act: (lender: Lender) => Promise<unknown>): Promise<Notification> {
    const listener = await database.admin.connect()
    try {
      await listener.query('listen news')
      const heard = once(listener, 'notification')
      await act(given().acme)
      const [notification] = await heard
      return notification
    } finally {
      await listener.query('unlisten *')
      listener.release()
    }
  }

  it.each([
    `notify news, 'sent'`,
    `select pg_notify('news', 'sent')`,
    `select 1; notify news, 'sent'`,
  ])('reaches others as soon as it is answered: %s', async (text) => {
    const { payload } = await heardBy((lender) => run(given(), lender, (db) => db.query(text)))
    expect(payload).toBe('sent')
  })
})

function pidOf({ rows }: { readonly rows: readonly { readonly pid: number }[] }): number {
  return rows[0]?.pid ?? 0
}
