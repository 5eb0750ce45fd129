import { describe, expect, it } from 'vitest'
import {
  forNewSchema,
  needsNoTransaction,
} from '../../../src/migration/transaction/no-transaction.js'
import { migration } from './migration.js'

describe('needsNoTransaction', () => {
  it.each([
    '-- postgres-migrations disable-transaction\nselect 1',
    'create index concurrently on loans (id)',
    'select 1; CREATE UNIQUE INDEX /* why */ CONCURRENTLY x on loans (id)',
    'drop index concurrently if exists x',
    'reindex table concurrently loans',
    'reindex (verbose) database app',
    'vacuum (analyze) loans',
    'alter system set work_mem = 1',
    'alter table loans detach partition loans_1 concurrently',
  ])('is true for %s', (sql) => {
    expect(needsNoTransaction(migration(1, sql))).toBe(true)
  })

  it.each([
    'create table loans (id int)',
    `select 'create index concurrently x on y'`,
    '-- vacuum loans;\nselect 1',
    'refresh materialized view concurrently totals',
    `create function f() returns text language sql as $$ select 'vacuum;' $$`,
  ])('is false for %s', (sql) => {
    expect(needsNoTransaction(migration(1, sql))).toBe(false)
  })
})

describe('forNewSchema', () => {
  it('takes out what refuses a transaction, and keeps every other character in its place', () => {
    const sql = 'create index concurrently x on loans (id);\nvacuum loans;\nselect 1'
    const plain = forNewSchema(migration(1, sql)).sql
    expect(plain).toHaveLength(sql.length)
    expect(plain.replaceAll(/ +/g, ' ')).toBe('create index x on loans (id);\n ;\nselect 1')
  })
})
