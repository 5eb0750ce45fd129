import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import type { OrmPlace } from './orm-place.js'
import type { OrmNotes, TestedOrm } from './tested-orm.js'
import { present } from '../../support/present.js'

const REQUESTS = 100

/** What one request is about: its tenant, and a text that nobody else writes. */
interface Request {
  readonly slug: string
  readonly body: string
}

type Act = (orm: TestedOrm, request: Request) => Promise<readonly string[]>

class RequestFailed extends Error {}

/** Requests of all kinds, each resolving to the bodies that it leaves, or failing and leaving none. */
const ACTS: readonly Act[] = [
  addOne,
  addTwo,
  failInTransaction,
  failInStatement,
  changeOne,
  readOnly,
]

/** Many requests of many tenants at once: nobody sees or leaves a row that is another's. */
export async function ormStorm(place: OrmPlace): Promise<void> {
  const requests = Array.from({ length: REQUESTS }, (_, index) => requestOf(place, index))
  const left = await Promise.all(requests.map((request, index) => perform(place, request, index)))
  for (const slug of place.slugs) {
    const { schema } = await place.router.tenants.get(slug)
    const expected = left.flat().filter((body) => isOwn(slug, body))
    const stored = await place.stored(slug)
    assert.deepEqual(
      stored.map(({ body }) => body),
      expected.toSorted(),
    )
    assert.deepEqual(
      stored.filter(({ home }) => home !== schema),
      [],
    )
  }
}

/** Tenants and acts have to meet in every combination, so neither follows the other. */
function requestOf({ slugs }: OrmPlace, index: number): Request {
  const slug = present(slugs[(index * 7) % slugs.length])
  return { slug, body: `${slug}:${String(index).padStart(3, '0')}` }
}

async function perform(
  place: OrmPlace,
  request: Request,
  index: number,
): Promise<readonly string[]> {
  // What is pseudo-random here is when requests overtake each other.
  for (let turns = (index * 31) % 5; turns > 0; turns -= 1) await turn()
  const act = present(ACTS[Math.floor(index / 3) % ACTS.length])
  return place.as(request.slug, (orm) => act(orm, request))
}

async function addOne(orm: TestedOrm, { slug, body }: Request): Promise<readonly string[]> {
  await orm.add(body)
  await seesOwnOnly(orm, slug)
  return [body]
}

async function addTwo(orm: TestedOrm, { slug, body }: Request): Promise<readonly string[]> {
  await orm.transaction(async (inside) => {
    await inside.add(`${body} a`)
    await turn()
    await seesOwnOnly(inside, slug)
    await inside.add(`${body} b`)
  })
  return [`${body} a`, `${body} b`]
}

async function failInTransaction(orm: TestedOrm, { slug, body }: Request): Promise<[]> {
  const failed = new RequestFailed()
  const run = orm.transaction(async (inside) => {
    await inside.add(body)
    await seesOwnOnly(inside, slug)
    throw failed
  })
  await assert.rejects(run, (error) => error === failed)
  await seesOwnOnly(orm, slug)
  return []
}

async function failInStatement(orm: TestedOrm, { slug, body }: Request): Promise<[]> {
  const run = orm.transaction(async (inside) => {
    await inside.add(body)
    await inside.raw('select 1 / 0 as never')
  })
  await assert.rejects(run)
  await assert.rejects(orm.raw('select * from there_is_no_such_table'))
  await seesOwnOnly(orm, slug)
  return []
}

async function changeOne(orm: TestedOrm, { slug, body }: Request): Promise<readonly string[]> {
  await orm.add(body)
  await orm.change(body, `${body} changed`)
  await seesOwnOnly(orm, slug)
  return [`${body} changed`]
}

async function readOnly(orm: TestedOrm, { slug }: Request): Promise<[]> {
  await seesOwnOnly(orm, slug)
  return []
}

async function seesOwnOnly({ bodies }: OrmNotes, slug: string): Promise<void> {
  const foreign = (await bodies()).filter((body) => !isOwn(slug, body))
  assert.deepEqual(foreign, [])
}

function isOwn(slug: string, body: string): boolean {
  return body.startsWith(`${slug}:`)
}
