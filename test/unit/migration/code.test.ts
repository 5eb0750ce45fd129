import { code } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { loadSet } from '../../../src/migration/complete-set.js'

const up = async (): Promise<void> => {}
const hashOf = async (...given: Parameters<typeof code>): Promise<string | undefined> =>
  (await code(...given).load())[0]?.hash

describe('code', () => {
  it('numbers the migrations from 1 in the order of the list', async () => {
    const down = async (): Promise<void> => {}
    const set = await code([
      { name: 'create_loans', up, down },
      { name: 'seed_loans', up },
    ]).load()
    expect(set).toMatchObject([
      { id: 1, name: 'create_loans', fileName: 'create_loans', sql: '', code: { up, down } },
      { id: 2, name: 'seed_loans', code: { up } },
    ])
  })

  it('has a hash of the name and the version, whatever the function says', async () => {
    const first = await hashOf([{ name: 'a', up }])
    expect(first).toMatch(/^[0-9a-f]{40}$/)
    expect(await hashOf([{ name: 'a', up: async () => 'bundled' }])).toBe(first)
    expect(await hashOf([{ name: 'a', up, version: 1 }])).toBe(first)
    expect(await hashOf([{ name: 'a', up, version: 2 }])).not.toBe(first)
    expect(await hashOf([{ name: 'b', up }])).not.toBe(first)
    expect(await hashOf([{ name: 'a', up, hash: 'mine' }])).toBe('mine')
  })

  it('is refused by a run when two migrations have one name', async () => {
    const twice = code([
      { name: 'a', up },
      { name: 'a', up },
    ])
    await expect(loadSet(twice)).rejects.toMatchObject({ code: 'MIGRATION_SOURCE_INVALID' })
  })
})
