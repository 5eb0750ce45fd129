import { createHash } from 'node:crypto'
import fc from 'fast-check'
import type { Pool } from 'pg'
import { isTenantryError } from 'tenantry'
import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { bodies, type Fleet, type Lender, useFleet } from '../support/lenders.js'
import type { Db } from './way.js'

const database = useDatabase()

const WRITES = [
  `insert into notes (body) values ('a')`,
  `insert into notes (body) values ('b; commit')`,
  `insert into notes (body) values (E'c\\'; rollback; --')`,
  `insert into notes (body) values ($x$; begin; $x$)`,
  `insert into notes (body) values ('d') returning body`,
  `update notes set body = body || '!' where id = 1`,
  `with w as (insert into notes (body) values ('e') returning body) select * from w`,
  `do $$ begin insert into notes (body) values ('f'); end $$`,
  `delete from notes where body = 'a'`,
]
const READS = ['select count(*) from notes', 'select body from notes order by id', 'show work_mem']
const CONTROLS = [
  'begin',
  'start transaction',
  'commit',
  'end',
  'rollback',
  'abort',
  'savepoint s',
  'rollback to s',
  'release s',
  'commit and chain',
  'rollback and chain',
  `set local work_mem = '1MB'`,
  'set transaction read only',
]
const FAILURES = ['nonsense', 'select 1 / (id - id) from notes', 'select * from nowhere']

const fragment = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...WRITES) },
  { weight: 2, arbitrary: fc.constantFrom(...READS) },
  { weight: 4, arbitrary: fc.constantFrom(...CONTROLS) },
  { weight: 1, arbitrary: fc.constantFrom(...FAILURES) },
)
const blank = fc.constantFrom('', ' ', '\n', ' /* ; */ ', ' -- commit;\n', '/* /* a */ begin; */')
/** A text, most often of one statement. */
const text = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: fc.tuple(fragment) },
      { weight: 1, arbitrary: fc.array(fragment, { minLength: 2, maxLength: 4 }) },
    ),
    blank,
    fc.constantFrom('', ';', ' ; ', ';;', '; -- end'),
  )
  .map(([parts, between, end]) => between + parts.join(`;${between}`) + end)

interface Call {
  readonly text: string
  readonly form: 'text' | 'values' | 'named' | 'extended'
}

const call: fc.Arbitrary<Call> = fc.record({
  text,
  form: fc.constantFrom('text', 'text', 'text', 'values', 'named', 'extended'),
})

function send(db: Db, { text: sql, form }: Call): Promise<unknown> {
  if (form === 'values') return db.query(sql, [])
  // A name belongs to one text, so each text has a name of its own.
  if (form === 'named')
    return db.query({ name: createHash('sha1').update(sql).digest('hex'), text: sql })
  if (form === 'extended') return db.query(Object.assign({ text: sql }, { queryMode: 'extended' }))
  return db.query(sql)
}

/** What can be compared of the outcomes of two schemas. */
function summary(outcome: unknown, { schema }: Lender): string {
  const results: unknown[] = [outcome].flat()
  const facts = results.map((each) => {
    if (typeof each !== 'object' || each === null) return each
    if (each instanceof Error)
      return { code: Reflect.get(each, 'code'), at: Reflect.get(each, 'position') }
    return {
      command: Reflect.get(each, 'command'),
      count: Reflect.get(each, 'rowCount'),
      rows: Reflect.get(each, 'rows'),
    }
  })
  return JSON.stringify(facts).replaceAll(schema, '<schema>')
}

/** Runs the calls until one is refused or none is left. */
async function outcomes(
  db: Db,
  calls: readonly Call[],
  lender: Lender,
): Promise<readonly string[]> {
  const found: string[] = []
  for (const each of calls) {
    const outcome = await send(db, each).catch((error: unknown) => error)
    found.push(summary(outcome, lender))
    if (isDeviation(outcome)) break
  }
  return found
}

/** What goes on after its transaction is refused in a scope, and only there. */
function isDeviation(outcome: unknown): boolean {
  return isTenantryError(outcome, 'STATEMENT_REFUSED')
}

async function onPlain(
  pool: Pool,
  calls: readonly Call[],
  lender: Lender,
): Promise<readonly string[]> {
  const client = await pool.connect()
  try {
    return await outcomes(client, calls, lender)
  } finally {
    await client.query('rollback; reset work_mem')
    client.release()
  }
}

async function throughScope(
  { router }: Fleet,
  calls: readonly Call[],
  lender: Lender,
): Promise<readonly string[]> {
  let found: readonly string[] = []
  const scope = router.withTenant(lender.slug, async (db) => {
    found = await outcomes(db, calls, lender)
  })
  await scope.catch((error: unknown) => {
    if (!isTenantryError(error, 'TRANSACTION_LEFT_OPEN')) throw error
  })
  return found
}

async function reset({ lenders }: Fleet): Promise<void> {
  const texts = lenders.map(
    ({ schema }) => `truncate ${schema}.notes restart identity;
      insert into ${schema}.notes (body) values ('${schema}');`,
  )
  await database.admin.query(texts.join(''))
}

async function notesOf({ schema }: Lender): Promise<readonly string[]> {
  return (await bodies(database, schema)).map((body) => body.replaceAll(schema, '<schema>'))
}

const RUNS = Number(process.env['TENANTRY_FUZZ_RUNS'] ?? 40)

describe.each([
  ['of a scope', {}],
  ['of a scope that prepares', { prepare: true, maxStatementsPerClient: 5 }],
])('any sequence of statements %s', (_, scope) => {
  /** The first tenant answers through scopes, the second one on plain connections with its path. */
  const given = useFleet(database, { pool: { max: 1 }, scope })
  let plainPool: Pool

  beforeAll(() => {
    plainPool = database.pool({ max: 1, options: `-c search_path=${given().beta.schema},public` })
  })

  it('has the outcomes that it has on a plain connection', { timeout: 600_000 }, async () => {
    const { acme, beta } = given()
    const property = fc
      .asyncProperty(fc.array(call, { minLength: 1, maxLength: 8 }), async (calls) => {
        const scoped = await throughScope(given(), calls, acme)
        const refused = scoped.findIndex((each) => each.includes('STATEMENT_REFUSED'))
        // What comes after a refusal cannot be compared.
        const compared = refused === -1 ? calls : calls.slice(0, refused)
        const plain = await onPlain(plainPool, compared, beta)
        expect(scoped.slice(0, compared.length)).toEqual(plain)
        expect(await bodies(database, 'public')).toEqual(['public'])
        const notes = await Promise.all([notesOf(acme), notesOf(refused === -1 ? beta : acme)])
        expect(notes[0]).toEqual(notes[1])
      })
      .beforeEach(() => reset(given()))
    const limits = { timeout: 8_000, interruptAfterTimeLimit: 150_000, endOnFailure: true }
    await fc.assert(property, { numRuns: RUNS, ...limits })
  })
})
