import assert from 'node:assert/strict'
import { isTenantryError } from '../../errors.js'
import { expectCode } from './expect-code.js'
import type { OrmPlace } from './orm-place.js'
import { ormStorm } from './orm-storm.js'

/** One thing that is expected of an ORM's adapter, and for how many tenants. */
interface OrmCheck {
  readonly tenants: number
  readonly check: (place: OrmPlace) => Promise<void>
}

class WorkFailed extends Error {}

/** What is expected of an ORM's adapter. */
export const ormChecks: Readonly<Record<string, OrmCheck>> = {
  'keeps the rows of tenants apart': { tenants: 2, check: keepsApart },
  'commits a transaction': { tenants: 2, check: commits },
  'rolls a transaction back when its work fails': { tenants: 1, check: rollsBack },
  'rolls a transaction back when a statement fails': { tenants: 1, check: rollsBackStatement },
  'undoes an inner transaction alone': { tenants: 1, check: undoesInner },
  'keeps a transaction with the tenant that began it': { tenants: 2, check: keepsTransaction },
  'runs raw SQL for the ambient tenant': { tenants: 2, check: runsRaw },
  'streams rows of the ambient tenant': { tenants: 2, check: streams },
  'fails without a tenant': { tenants: 1, check: failsWithout },
  'refuses names that leave the scope': { tenants: 2, check: refusesNames },
  'keeps 20 tenants apart in 100 requests at once, some of which fail': {
    tenants: 20,
    check: ormStorm,
  },
}

async function keepsApart(place: OrmPlace): Promise<void> {
  const [first, second] = place.two
  await place.as(first, async ({ add }) => {
    await add('one')
    await add('two')
  })
  await place.as(second, ({ add }) => add('one'))
  await place.as(first, async ({ change, remove, bodies }) => {
    await change('one', 'changed')
    await remove('two')
    assert.deepEqual(await bodies(), ['changed'])
  })
  assert.deepEqual(await place.as(second, ({ bodies }) => bodies()), ['one'])
  assert.deepEqual(await place.bodies(first), ['changed'])
  assert.deepEqual(await place.bodies(second), ['one'])
}

async function commits(place: OrmPlace): Promise<void> {
  const [first, second] = place.two
  await place.as(first, ({ transaction }) =>
    transaction(async ({ add, bodies }) => {
      await add('one')
      assert.deepEqual(await bodies(), ['one'])
      assert.deepEqual(await place.bodies(first), [])
    }),
  )
  assert.deepEqual(await place.bodies(first), ['one'])
  assert.deepEqual(await place.bodies(second), [])
}

async function rollsBack(place: OrmPlace): Promise<void> {
  const [slug] = place.two
  const failed = new WorkFailed()
  const run = place.as(slug, ({ transaction }) =>
    transaction(async ({ add }) => {
      await add('one')
      throw failed
    }),
  )
  await assert.rejects(run, (error) => error === failed)
  assert.deepEqual(await place.bodies(slug), [])
}

async function rollsBackStatement(place: OrmPlace): Promise<void> {
  const [slug] = place.two
  const run = place.as(slug, ({ transaction }) =>
    transaction(async ({ add, raw }) => {
      await add('one')
      await raw('select 1 / 0 as never')
    }),
  )
  await assert.rejects(run)
  assert.deepEqual(await place.bodies(slug), [])
  assert.deepEqual(await place.as(slug, ({ bodies }) => bodies()), [])
}

async function undoesInner(place: OrmPlace): Promise<void> {
  const [slug] = place.two
  const failed = new WorkFailed()
  let hasInner = true
  await place.as(slug, ({ transaction }) =>
    transaction(async ({ add, nested }) => {
      if (nested === undefined) {
        hasInner = false
        return
      }
      await add('outer')
      await nested((inner) => inner.add('kept').then(() => undefined))
      const undone = nested(async (inner) => {
        await inner.add('undone')
        throw failed
      })
      await assert.rejects(undone, (error) => error === failed)
    }),
  )
  assert.deepEqual(await place.bodies(slug), hasInner ? ['kept', 'outer'] : [])
}

async function keepsTransaction(place: OrmPlace): Promise<void> {
  const [first, second] = place.two
  const written = ['one']
  await place.as(first, ({ transaction }) =>
    transaction(async ({ add }) => {
      await add('one')
      try {
        await place.router.runAs(second, () => add('two'))
        written.push('two')
      } catch (error) {
        // An adapter may as well refuse that.
        if (!isTenantryError(error, 'SCOPE_BYPASSED')) throw error
      }
    }),
  )
  assert.deepEqual(await place.bodies(first), written)
  assert.deepEqual(await place.bodies(second), [])
}

async function runsRaw(place: OrmPlace): Promise<void> {
  for (const slug of place.two) {
    const { schema } = await place.router.tenants.get(slug)
    await place.as(slug, ({ add }) => add(slug))
    const rows = await place.as(slug, ({ raw }) => raw('select body, home from notes'))
    assert.deepEqual(
      rows.map((row) => ({ ...row })),
      [{ body: slug, home: schema }],
    )
  }
}

async function streams(place: OrmPlace): Promise<void> {
  if (place.orm.stream === undefined) return
  for (const slug of place.two) {
    await place.as(slug, async ({ add, stream }) => {
      await add(`${slug} one`)
      await add(`${slug} two`)
      const found: string[] = []
      for await (const body of stream?.() ?? []) found.push(body)
      assert.deepEqual(found.toSorted(), [`${slug} one`, `${slug} two`])
    })
  }
}

async function failsWithout({ orm }: OrmPlace): Promise<void> {
  await expectCode('TENANT_NO_SCOPE', () => orm.bodies())
  await expectCode('TENANT_NO_SCOPE', () => orm.add('nobody'))
  await expectCode('TENANT_NO_SCOPE', () => orm.raw('select 1 as one'))
  await expectCode('TENANT_NO_SCOPE', () =>
    orm.transaction(async ({ add }) => {
      await add('nobody')
    }),
  )
}

async function refusesNames(place: OrmPlace): Promise<void> {
  const [first, second] = place.two
  const { schema } = await place.router.tenants.get(second)
  await place.as(second, ({ add }) => add('foreign'))
  for (const attempt of Object.values(place.orm.refused ?? {})) {
    await place.as(first, () => expectCode('SCOPE_BYPASSED', () => attempt(schema)))
  }
  assert.deepEqual(await place.bodies(second), ['foreign'])
}
