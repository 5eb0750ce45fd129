import { once } from 'node:events'
import { Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { bodies, type Lender, useFleet } from '../support/lenders.js'
import { type Db, WAYS } from './way.js'

const database = useDatabase()
const given = useFleet(database, {
  pool: { max: 1 },
  scope: { settings: () => ({ lock_timeout: '5s' }) },
})

const IN = 'copy notes (body) from stdin'
const OUT = 'copy notes (body) to stdout'

async function textOf(stream: Readable): Promise<string> {
  return (await stream.toArray()).map(String).join('')
}

async function expectNotes(lender: Lender, added: readonly string[]): Promise<void> {
  expect(await bodies(database, lender.schema)).toEqual([lender.schema, ...added])
  expect(await bodies(database, 'public')).toEqual(['public'])
}

describe.each(WAYS)('pg-copy-streams through $name', (way) => {
  const run = <R>(lender: Lender, fn: (db: Db) => Promise<R>): Promise<R> =>
    way.run(given(), lender, fn)

  it('copies in, and commits', async () => {
    const { acme } = given()
    await run(acme, async (db) => {
      const stream = db.query(copyFrom(IN))
      await pipeline(Readable.from(['one\n', 'two\n']), stream)
      expect(stream.rowCount).toBe(2)
    })
    await expectNotes(acme, ['one', 'two'])
  })

  it.each([`${IN};`, `${IN} -- notes`, `/* in */ ${IN} /* ; */ ; `, `${IN} with (format text)`])(
    'copies in and commits however the text ends: %s',
    async (text) => {
      const { acme } = given()
      await run(acme, (db) => pipeline(Readable.from(['one\n']), db.query(copyFrom(text))))
      await expectNotes(acme, ['one'])
    },
  )

  it('copies a megabyte in', async () => {
    const { acme } = given()
    const line = `${'x'.repeat(1023)}\n`
    const lines = Array.from({ length: 1024 }, () => line)
    await run(acme, (db) => pipeline(Readable.from(lines), db.query(copyFrom(IN))))
    expect(await bodies(database, acme.schema)).toHaveLength(1025)
  })

  it('copies nothing in', async () => {
    const { acme } = given()
    await run(acme, async (db) => {
      const stream = db.query(copyFrom(IN))
      await pipeline(Readable.from([]), stream)
      expect(stream.rowCount).toBe(0)
    })
    await expectNotes(acme, [])
  })

  it('copies in among other statements of one text', async () => {
    const { acme } = given()
    const text = `insert into notes (body) values ('before'); ${IN}; insert into notes (body) values ('after')`
    await run(acme, (db) => pipeline(Readable.from(['one\n']), db.query(copyFrom(text))))
    await expectNotes(acme, ['before', 'one', 'after'])
  })

  it('copies nothing when a row cannot be read', async () => {
    const { acme } = given()
    await run(acme, async (db) => {
      const stream = db.query(copyFrom('copy notes (id, body) from stdin'))
      const copying = pipeline(Readable.from(['7\tgood\n', 'x\tbad\n']), stream)
      await expect(copying).rejects.toMatchObject({ code: '22P02' })
    })
    await expectNotes(acme, [])
    await run(acme, (db) => pipeline(Readable.from(['next\n']), db.query(copyFrom(IN))))
    await expectNotes(acme, ['next'])
  })

  it('copies nothing when its source fails', async () => {
    const { acme } = given()
    const source = Readable.from(
      (function* lines() {
        yield 'one\n'
        throw new Error('the source has failed')
      })(),
    )
    await run(acme, async (db) => {
      await expect(pipeline(source, db.query(copyFrom(IN)))).rejects.toThrow(
        'the source has failed',
      )
    })
    await expectNotes(acme, [])
  })

  it.each(['at once', 'in the middle'])('copies nothing when it is destroyed %s', async (when) => {
    const { acme } = given()
    await run(acme, async (db) => {
      const stream = db.query(copyFrom(IN))
      if (when === 'in the middle') await new Promise((resolve) => stream.write('one\n', resolve))
      stream.destroy()
      await expect(finished(stream)).rejects.toThrow('destroy')
    })
    await expectNotes(acme, [])
  })

  it('fails as plain pg does for a text that cannot be run', async () => {
    const { acme } = given()
    await run(acme, async (db) => {
      const copying = pipeline(
        Readable.from(['1\n']),
        db.query(copyFrom('copy nowhere from stdin')),
      )
      await expect(copying).rejects.toMatchObject({ code: '42P01' })
    })
    await run(acme, async (db) => {
      const copying = finished(db.query(copyTo('copy nowhere to stdout')).resume())
      await expect(copying).rejects.toMatchObject({ code: '42P01' })
    })
    await expectNotes(acme, [])
  })

  it('copies out', async () => {
    const { acme, beta } = given()
    expect(await run(acme, (db) => textOf(db.query(copyTo(OUT))))).toBe(`${acme.schema}\n`)
    expect(await run(beta, (db) => textOf(db.query(copyTo(OUT))))).toBe(`${beta.schema}\n`)
  })

  it('copies a query out, and nothing', async () => {
    const { acme } = given()
    const count = 'copy (select count(*) from notes) to stdout with csv'
    expect(await run(acme, (db) => textOf(db.query(copyTo(count))))).toBe('1\n')
    const none = 'copy (select body from notes where false) to stdout'
    expect(await run(acme, (db) => textOf(db.query(copyTo(none))))).toBe('')
  })

  it('copies a megabyte out', async () => {
    const { acme } = given()
    const many = `copy (select repeat('x', 1023) from generate_series(1, 1024)) to stdout`
    const text = await run(acme, (db) => textOf(db.query(copyTo(many))))
    expect(text).toHaveLength(1024 * 1024)
  })

  it('keeps to itself what it sets', async () => {
    const { acme } = given()
    const notices = await run(acme, async (db) => {
      await pipeline(Readable.from(['one\n']), db.query(copyFrom(IN)))
      await textOf(db.query(copyTo(OUT)))
      return db.query('show lock_timeout')
    })
    expect(notices.rows).toEqual([{ lock_timeout: '5s' }])
  })
})

describe('a COPY stream in a transaction', () => {
  it.each([
    ['as its first statement', []],
    ['behind others', ['select 1']],
  ])('is committed with it, %s', async (_, before) => {
    const { router, acme } = given()
    await router.withTenant(
      acme.slug,
      async (db) => {
        for (const text of before) await db.query(text)
        await pipeline(Readable.from(['one\n']), db.query(copyFrom(IN)))
        expect(await textOf(db.query(copyTo(OUT)))).toBe(`${acme.schema}\none\n`)
        await expectNotes(acme, [])
      },
      { transaction: true },
    )
    await expectNotes(acme, ['one'])
  })

  it('is rolled back with it', async () => {
    const { router, acme } = given()
    await router.withTenant(acme.slug, async (db) => {
      await db.query('begin')
      await pipeline(Readable.from(['one\n']), db.query(copyFrom(IN)))
      await db.query('rollback')
    })
    await expectNotes(acme, [])
  })

  it('leaves the settings of the transaction alone', async () => {
    const { router, acme } = given()
    const shown = await router.withTenant(
      acme.slug,
      async (db) => {
        await textOf(db.query(copyTo(OUT)))
        const first = await db.query('show lock_timeout')
        await db.query(`set local lock_timeout = '7s'`)
        await pipeline(Readable.from(['one\n']), db.query(copyFrom(IN)))
        const second = await db.query('show lock_timeout')
        return [...first.rows, ...second.rows]
      },
      { transaction: true },
    )
    expect(shown).toEqual([{ lock_timeout: '5s' }, { lock_timeout: '7s' }])
  })

  it('fails it', async () => {
    const { router, acme } = given()
    const scope = router.withTenant(
      acme.slug,
      async (db) => {
        await db.query(`insert into notes (body) values ('lost')`)
        const stream = db.query(copyFrom('copy notes (id) from stdin'))
        await pipeline(Readable.from(['x\n']), stream).catch(() => {})
      },
      { transaction: true },
    )
    await expect(scope).rejects.toMatchObject({ code: 'TRANSACTION_ROLLED_BACK' })
    await expectNotes(acme, [])
  })
})

describe('a COPY stream that is left open at the end of its scope', () => {
  it('copies nothing in', async () => {
    const { router, acme } = given()
    await router.withTenant(acme.slug, async (db) => {
      const stream = db.query(copyFrom(IN))
      stream.on('error', () => {})
      await new Promise((resolve) => stream.write('lost\n', resolve))
    })
    await expectNotes(acme, [])
    const { rows } = await router.withTenant(acme.slug, (db) => db.query('select body from notes'))
    expect(rows).toEqual([{ body: acme.schema }])
  })

  it('copies no more out', async () => {
    const { router, acme } = given()
    await router.withTenant(acme.slug, async (db) => {
      const many = `copy (select repeat('x', 1023) from generate_series(1, 10000)) to stdout`
      const stream = db.query(copyTo(many))
      stream.on('error', () => {})
      await once(stream, 'readable')
    })
    const { rows } = await router.withTenant(acme.slug, (db) => db.query('select body from notes'))
    expect(rows).toEqual([{ body: acme.schema }])
  })
})
