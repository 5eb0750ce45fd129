import type { Pool, PoolClient } from 'pg'
import type { SchemaRouter } from 'tenantry'
import { rowOf, slugOf } from '../fleet.js'
import type { Candidate } from '../measure.js'

/** What the candidates of the scope bench work with. */
export interface Parts {
  readonly pool: Pool
  readonly router: SchemaRouter
  /** A router of the same pool that prepares statements. */
  readonly prepared: SchemaRouter
  /** How many tenants have their turn. */
  readonly tenants: number
}

const QUERY = 'select * from loans_1 where id = $1'
const COUNT = 'select count(*) from loans_1'
const DUE = 'select id, due from loans_1 where borrower = $1'

/** One query: without a scope, with one, and with a scope made by hand. */
export function queryCandidates({ pool, router, prepared, tenants }: Parts): readonly Candidate[] {
  const slug = (turn: number): string => slugOf(turn % tenants)
  const values = (turn: number): number[] => [rowOf(turn)]
  return [
    {
      name: 'unscoped `pool.query`, qualified table',
      run: (turn) => unscoped(pool, slug(turn), turn),
    },
    {
      name: '`router.poolFor(tenant).query`',
      run: (turn) => router.poolFor(slug(turn)).query(QUERY, values(turn)),
    },
    {
      name: '`router.pool.query` inside `runAs`',
      run: (turn) => router.runAs(slug(turn), () => router.pool.query(QUERY, values(turn))),
    },
    {
      name: '`withTenant`, one query',
      run: (turn) => router.withTenant(slug(turn), (db) => db.query(QUERY, values(turn))),
    },
    {
      name: '`router.poolFor(tenant).query`, `prepare: true`',
      run: (turn) => prepared.poolFor(slug(turn)).query(QUERY, values(turn)),
    },
    {
      name: 'unscoped `pool.query`, qualified table, named',
      run: (turn) =>
        pool.query({
          name: `loan of ${slug(turn)}`,
          text: `select * from tenant_${slug(turn)}.loans_1 where id = $1`,
          values: values(turn),
        }),
    },
    {
      name: '`withTenant`, `{ transaction: true }`, one query',
      run: (turn) =>
        router.withTenant(slug(turn), (db) => db.query(QUERY, values(turn)), { transaction: true }),
    },
    {
      name: 'by hand: SET, query, RESET',
      run: (turn) =>
        withClient(pool, async (client) => {
          await client.query(`set search_path to tenant_${slug(turn)}`)
          await client.query(QUERY, values(turn))
          await client.query('reset search_path')
        }),
    },
    {
      name: 'by hand: BEGIN, SET LOCAL, query, COMMIT',
      run: (turn) =>
        withClient(pool, async (client) => {
          await client.query('begin')
          await client.query(`set local search_path to tenant_${slug(turn)}`)
          await client.query(QUERY, values(turn))
          await client.query('commit')
        }),
    },
  ]
}

/** Three queries in one transaction. */
export function transactionCandidates({
  pool,
  router,
  prepared,
  tenants,
}: Parts): readonly Candidate[] {
  const slug = (turn: number): string => slugOf(turn % tenants)
  const three = async (db: Pick<PoolClient, 'query'>, turn: number): Promise<void> => {
    await db.query(QUERY, [rowOf(turn)])
    await db.query(COUNT)
    await db.query(DUE, [`borrower ${rowOf(turn)}`])
  }
  return [
    {
      name: 'unscoped: BEGIN, three queries of qualified tables, COMMIT',
      run: (turn) =>
        withClient(pool, async (client) => {
          const place = `tenant_${slug(turn)}.loans_1`
          await client.query('begin')
          await client.query(`select * from ${place} where id = $1`, [rowOf(turn)])
          await client.query(`select count(*) from ${place}`)
          await client.query(`select id, due from ${place} where borrower = $1`, [
            `borrower ${rowOf(turn)}`,
          ])
          await client.query('commit')
        }),
    },
    {
      name: '`withTenant`, `{ transaction: true }`, three queries',
      run: (turn) => router.withTenant(slug(turn), (db) => three(db, turn), { transaction: true }),
    },
    {
      name: 'the same with `prepare: true`',
      run: (turn) =>
        prepared.withTenant(slug(turn), (db) => three(db, turn), { transaction: true }),
    },
    {
      name: '`withTenant`, three queries without a transaction',
      run: (turn) => router.withTenant(slug(turn), (db) => three(db, turn)),
    },
    {
      name: 'by hand: BEGIN, SET LOCAL, three queries, COMMIT',
      run: (turn) =>
        withClient(pool, async (client) => {
          await client.query('begin')
          await client.query(`set local search_path to tenant_${slug(turn)}`)
          await three(client, turn)
          await client.query('commit')
        }),
    },
  ]
}

function unscoped(pool: Pool, slug: string, turn: number): Promise<unknown> {
  return pool.query(`select * from tenant_${slug}.loans_1 where id = $1`, [rowOf(turn)])
}

async function withClient(pool: Pool, fn: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect()
  try {
    await fn(client)
  } finally {
    client.release()
  }
}
