import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadMigrationFiles } from 'postgres-migrations'
import { describe, expect, it } from 'vitest'
import { loadSet } from '../../../src/migration/complete-set.js'
import type { Migration } from '../../../src/migration/source.js'
import { migration } from './migration.js'

const load = (...migrations: Migration[]): Promise<readonly Migration[]> =>
  loadSet({ origin: 'a test', load: async () => migrations })

describe('loadSet', () => {
  it('has no migration without a source', async () => {
    expect(await loadSet(undefined)).toEqual([])
  })

  it('puts the ledger’s own table in front, exactly as postgres-migrations does', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'tenantry-empty-'))
    const [theirs] = await loadMigrationFiles(empty)
    await rm(empty, { recursive: true })
    const [ours] = await load()
    expect(theirs).toMatchObject({ ...ours })
  })

  it('keeps a ledger’s table that the source brings', async () => {
    const own = [migration(0, 'create table migrations ()'), migration(1, 'select 1')]
    expect(await load(...own)).toEqual(own)
  })

  it.each([
    ['a gap', [migration(1, ''), migration(3, '')], '3_step_3.sql', /id 3 where 2 is next/],
    ['a wrong order', [migration(2, ''), migration(1, '')], '2_step_2.sql', /id 2 where 1/],
    ['an id twice', [migration(1, '', '1_a.sql'), migration(1, '', '1_b.sql')], '1_b.sql', /id 1/],
    ['a negative id', [migration(-1, '')], '-1_step_-1.sql', /id -1/],
    [
      'a name twice',
      [migration(1, '', '1_add.sql'), migration(2, '', '2_add.sql')],
      '2_add.sql',
      /"add" like an earlier one/,
    ],
    [
      'the name of the ledger’s table',
      [migration(1, '', '1_create-migrations-table.sql')],
      '1_create-migrations-table.sql',
      /like an earlier one/,
    ],
    [
      'a name that the ledger cannot hold',
      [migration(1, '', `1_${'x'.repeat(101)}.sql`)],
      `1_${'x'.repeat(101)}.sql`,
      /more than 100 characters/,
    ],
    [
      'a hash that the ledger cannot hold',
      [{ ...migration(1, ''), hash: 'x'.repeat(41) }],
      '1_step_1.sql',
      /more than 40 characters/,
    ],
  ])('refuses %s', async (_, migrations, fileName, message) => {
    await expect(load(...migrations)).rejects.toMatchObject({
      code: 'MIGRATION_SOURCE_INVALID',
      migration: fileName,
      message: expect.stringMatching(message),
    })
  })

  it('accepts a name of 100 characters, however many bytes they are', async () => {
    const [, loaded] = await load(migration(1, '', `1_${'😀'.repeat(100)}.sql`))
    expect(loaded?.id).toBe(1)
  })
})
