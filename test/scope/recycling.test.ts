import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type Fleet, type Lender, fleet } from '../support/lenders.js'
import { type Db, WAYS } from './way.js'

const database = useDatabase()

const MAX_SCHEMAS = 3

function small(tenants: number): Promise<Fleet> {
  const scope = { maxSchemasPerClient: MAX_SCHEMAS }
  return fleet(database, { tenants, pool: { max: 1 }, scope })
}

interface Answer {
  readonly pid: number
  readonly schema: string
}

async function ask(db: Db): Promise<Answer> {
  const { rows } = await db.query<Answer>(
    'select pg_backend_pid() as pid, current_schema() as schema',
  )
  const [row] = rows
  if (row === undefined) throw new Error('The server answers with one row.')
  return row
}

function byPid(answers: readonly Answer[]): ReadonlyMap<number, ReadonlySet<string>> {
  const seen = new Map<number, Set<string>>()
  for (const { pid, schema } of answers) {
    seen.set(pid, (seen.get(pid) ?? new Set()).add(schema))
  }
  return seen
}

describe.each(WAYS)('maxSchemasPerClient through $name', ({ run }) => {
  async function inTurn(made: Fleet, lenders: readonly Lender[]): Promise<readonly Answer[]> {
    const answers: Answer[] = []
    for (const lender of lenders) answers.push(await run(made, lender, ask))
    expect(answers.map(({ schema }) => schema)).toEqual(lenders.map(({ schema }) => schema))
    return answers
  }

  it('replaces a client that has seen more schemas', async () => {
    const made = await small(10)
    const seen = byPid(await inTurn(made, made.lenders))
    expect(seen.size).toBeGreaterThan(1)
    for (const schemas of seen.values()) expect(schemas.size).toBeLessThanOrEqual(MAX_SCHEMAS + 1)
    expect(made.pool.totalCount).toBeLessThanOrEqual(1)
    expect(made.pool.idleCount).toBe(made.pool.totalCount)
  })

  it('keeps a client that has seen no more schemas', async () => {
    const made = await small(MAX_SCHEMAS)
    const seen = byPid(await inTurn(made, [...made.lenders, ...made.lenders, ...made.lenders]))
    expect(seen.size).toBe(1)
  })
})

describe('maxSchemasPerClient', () => {
  it('does not replace a client in the middle of a scope', async () => {
    const made = await small(MAX_SCHEMAS + 1)
    const { router, lenders } = made
    for (const { slug } of lenders.slice(0, -1)) await router.withTenant(slug, ask)
    const last = lenders.at(-1) ?? made.acme
    const answers = await router.withTenant(last.slug, async (db) => {
      await db.query('begin')
      const found = [await ask(db), await ask(db)]
      await db.query('commit')
      return [...found, await ask(db)]
    })
    expect(byPid(answers).size).toBe(1)
    expect(answers.map(({ schema }) => schema)).toEqual(Array(3).fill(last.schema))
  })

  it('does not count unscoped use and the registry’s own statements', async () => {
    const made = await small(MAX_SCHEMAS)
    const { router, pool, lenders } = made
    const answers: Answer[] = []
    for (const { slug } of [...lenders, ...lenders]) {
      answers.push(await router.withTenant(slug, ask))
      await pool.query('table public.notes')
      await router.tenants.list()
    }
    expect(byPid(answers).size).toBe(1)
  })
})
