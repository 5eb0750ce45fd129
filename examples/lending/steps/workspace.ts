import { cp, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const EXAMPLE = fileURLToPath(new URL('..', import.meta.url))

/** Lends `fn` a copy of the service's folder, so that migrations can arrive in it. */
export async function withWorkspace<T>(fn: (folder: string) => Promise<T>): Promise<T> {
  const folder = await openWorkspace()
  try {
    return await fn(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Copies the service's configuration and its migrations into a temporary folder. */
export async function openWorkspace(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'tenantry-lending-')))
  await cp(join(EXAMPLE, 'tenantry.config.ts'), join(folder, 'tenantry.config.ts'))
  for (const kind of ['public', 'main', 'tenant']) {
    await cp(join(EXAMPLE, 'migrations', kind), join(folder, 'migrations', kind), {
      recursive: true,
    })
  }
  return folder
}
