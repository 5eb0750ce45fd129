import { mkdtemp, readdir, realpath, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from './program.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The package as it would be published. */
export interface PackedPackage {
  /** A temporary folder outside of the repository, which holds the tarball. */
  readonly folder: string
  readonly tarball: string
  /** What is in the tarball: paths from its root. */
  readonly files: readonly string[]
}

interface PackReport {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

/** Packs the package from the build in `dist/`, which has to be newer than its source. */
export async function packPackage(): Promise<PackedPackage> {
  await requireFreshBuild()
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'tenantry-packaging-')))
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const { stdout } = await runProgram('npm', args, { cwd: ROOT })
  const [report] = JSON.parse(stdout) as readonly [PackReport]
  const files = report.files.map(({ path }) => path)
  return { folder, tarball: join(folder, report.filename), files }
}

/** Refuses a build that is older than the source. */
export async function requireFreshBuild(): Promise<void> {
  const built = await timeOf(join(ROOT, 'dist/index.d.ts'))
  const entries = await readdir(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const changed = await Promise.all(
    files.map(({ parentPath, name }) => timeOf(join(parentPath, name))),
  )
  if (built > Math.max(...changed)) return
  throw new Error('dist/ is older than src/, or has no types. Run "npm run build" first.')
}

async function timeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
}
