import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildBinary } from '../cli/binary.js'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'
import { useFolder } from './archive-fleet.js'
import { openFleet } from './fleet.js'

const database = useDatabase()
const migrations = useMigrationFolders()
const folder = useFolder()
const PROGRAM = fileURLToPath(new URL('../support/fixtures/archive-memory.mjs', import.meta.url))
const GIGABYTE = 1024 ** 3
const MEGABYTE = 1024 ** 2

beforeAll(buildBinary)

describe('tenants.backup and tenants.restore', () => {
  it('need less than 150 MB of memory for 1 GB of rows', { timeout: 600_000 }, async () => {
    const tenants = { '1_files.sql': 'create table files (id int primary key, body text)' }
    const { router, prefix, schemas } = await openFleet(database, migrations, { tenants })
    await router.migrations.up()
    await router.tenants.create({ slug: 'acme' })
    // The server compresses them, so that they are small on its disk and large on their way.
    await database.admin.query(
      `insert into ${prefix}acme.files
       select n, repeat(md5(n::text), 32768) from generate_series(1, 1100) n`,
    )
    const file = folder.file('large.tenantry.gz')
    const given = JSON.stringify({ connectionString: database.url, schemas, file })
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, given])
    const { backup, restored, peak } = JSON.parse(stdout)
    expect(backup.bytes).toBeGreaterThan(GIGABYTE)
    expect(restored).toMatchObject({ bytes: backup.bytes, rows: 1100 })
    expect(peak).toBeLessThan(150 * MEGABYTE)
  })
})
