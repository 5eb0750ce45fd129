import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { directory } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { useMigrationFolders } from '../../support/migration-folder.js'

const migrations = useMigrationFolders()

describe('directory', () => {
  it('reads its files once while they stay as they are', async () => {
    const source = directory(await migrations.folder({ '1_a.sql': 'select 1' }))
    expect(await source.load()).toBe(await source.load())
  })

  it.each<readonly [string, (folder: string) => Promise<unknown>]>([
    ['was added', (folder) => writeFile(join(folder, '3_c.sql'), 'select 3')],
    ['was changed', (folder) => writeFile(join(folder, '2_b.sql'), 'select 9')],
    ['was removed', (folder) => rm(join(folder, '2_b.sql'))],
    ['got a reverse', (folder) => reverse(folder, 'select 0')],
  ])('reads them again when one %s', async (_what, change) => {
    const folder = await migrations.folder({ '1_a.sql': 'select 1', '2_b.sql': 'select 2' })
    const source = directory(folder)
    const before = await source.load()
    await change(folder)
    const after = await source.load()
    expect(after).not.toEqual(before)
    expect(after).toEqual(await directory(folder).load())
  })

  it('reads the reverse of a migration again when it was changed', async () => {
    const folder = await migrations.folder({ '1_a.sql': 'select 1', 'down/1_a.sql': 'select 1' })
    const source = directory(folder)
    await source.load()
    await reverse(folder, 'select 5', '1_a.sql')
    expect((await source.load()).at(-1)).toMatchObject({ down: 'select 5' })
  })

  it('asks a file in JavaScript each time', async () => {
    const folder = await migrations.folder({
      '1_a.js': 'let n = 0; exports.generateSql = () => `select ${(n += 1)}`',
    })
    const source = directory(folder)
    const [first, second] = [await source.load(), await source.load()]
    expect(first).not.toBe(second)
  })
})

async function reverse(folder: string, sql: string, name = '2_b.sql'): Promise<void> {
  await mkdir(join(folder, 'down'), { recursive: true })
  await writeFile(join(folder, 'down', name), sql)
}
