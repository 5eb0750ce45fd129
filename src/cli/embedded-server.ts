import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EmbeddedPostgres } from 'tenantry/testing'
import { exists } from './files.js'

/** Starts the development server of a project, or finds the one that runs already. */
export async function startProjectServer(folder: string): Promise<EmbeddedPostgres> {
  // Only those who need a server load what starts one.
  const { startEmbeddedPostgres } = await import('tenantry/testing')
  const home = join(folder, '.tenantry')
  const server = await startEmbeddedPostgres({ dataDirectory: join(home, 'postgres') })
  await keepOutOfGit(home)
  return server
}

async function keepOutOfGit(home: string): Promise<void> {
  // Where root's own folders are out of the server's reach, the data are elsewhere.
  if (await exists(home)) await writeFile(join(home, '.gitignore'), '*\n')
}
