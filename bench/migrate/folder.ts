import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of migrations that is gone afterwards. */
export interface MigrationFolder extends AsyncDisposable {
  readonly path: string
  /** Writes the next migration. */
  add(sql: string): Promise<void>
}

/** Makes a folder with one migration file per text. */
export async function migrationFolder(texts: readonly string[]): Promise<MigrationFolder> {
  const path = await mkdtemp(join(tmpdir(), 'tenantry-bench-'))
  let last = 0
  const add = async (sql: string): Promise<void> => {
    last += 1
    await writeFile(join(path, `${last}_step_${last}.sql`), sql)
  }
  for (const text of texts) await add(text)
  return { path, add, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}
