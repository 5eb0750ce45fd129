import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'
import { findSystemPostgres } from '../support/system-postgres.js'
import { useFolder } from './archive-fleet.js'
import { type Fleet, openFleet } from './fleet.js'

const system = await findSystemPostgres()
const database = useDatabase()
const migrations = useMigrationFolders()
const folder = useFolder()

async function setUp(): Promise<Fleet & { readonly file: string }> {
  const tenants = { '1_loans.sql': 'create table loans (id int)' }
  const fleet = await openFleet(database, migrations, { tenants })
  await fleet.router.migrations.up()
  await fleet.router.tenants.create({ slug: 'acme' })
  return { ...fleet, file: folder.file('acme.dump') }
}

describe('tenants.backup with a pg_dump that does not fit', () => {
  it.skipIf(system === undefined)('names both versions, and writes nothing', async ({ skip }) => {
    const { router, file, one } = await setUp()
    const server = await one(`select current_setting('server_version_num')::int / 10000`)
    const major = system?.major ?? 0
    if (major >= Number(server)) skip(`pg_dump ${major} fits the server ${String(server)}.`)
    const options = { engine: 'pg_dump', pgDump: system?.program('pg_dump') ?? '' } as const
    await expect(router.tenants.backup('acme', file, options)).rejects.toMatchObject({
      code: 'PG_DUMP_UNFIT',
      message: expect.stringMatching(
        new RegExp(`PostgreSQL ${major} .*PostgreSQL ${String(server)},.*'built-in'`),
      ) as string,
    })
    expect(await readdir(dirname(file))).toEqual([])
  })

  it('says that it is not installed, and writes nothing', async () => {
    const { router, file } = await setUp()
    const options = { engine: 'pg_dump', pgDump: '/nowhere/pg_dump' } as const
    await expect(router.tenants.backup('acme', file, options)).rejects.toMatchObject({
      code: 'PG_DUMP_UNFIT',
      message: expect.stringContaining('Install') as string,
      cause: { code: 'ENOENT' },
    })
    expect(await readdir(dirname(file))).toEqual([])
  })

  it('says that it is another program, and writes nothing', async () => {
    const { router, file } = await setUp()
    const options = { engine: 'pg_dump', pgDump: '/bin/echo' } as const
    await expect(router.tenants.backup('acme', file, options)).rejects.toMatchObject({
      code: 'PG_DUMP_UNFIT',
      cause: { message: expect.stringMatching(/^It says: /) as string },
    })
    expect(await readdir(dirname(file))).toEqual([])
  })

  it('is known by no other name', async () => {
    const { router, file } = await setUp()
    const odd: object = { engine: 'pg-dump' }
    await expect(router.tenants.backup('acme', file, odd)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      option: 'engine',
    })
    const empty: object = { engine: 'pg_dump', pgDump: '' }
    await expect(router.tenants.backup('acme', file, empty)).rejects.toMatchObject({
      option: 'pgDump',
    })
  })
})
