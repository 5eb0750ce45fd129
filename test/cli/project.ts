import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { SchemaRouter } from 'tenantry'
import { onTestFinished } from 'vitest'
import type { TestDatabase } from '../support/database.js'
import { callBinary, type CallResult } from './binary.js'

/** A service in a temporary folder, with schemas of its own in the test file's database. */
export interface Project {
  readonly folder: string
  /** The shared schema, the static one, and what tenants' schemas begin with. */
  readonly shared: string
  readonly main: string
  readonly prefix: string
  /** Calls the CLI in the project's folder, with the test database as `DATABASE_URL`. */
  tenantry(...args: readonly string[]): Promise<CallResult>
  /** Writes a file below the folder. */
  write(path: string, text: string): Promise<void>
}

/** When a folder is removed: after the test, or after all of them with `afterAll`. */
type Finished = (remove: () => Promise<void>) => void

/** Makes an empty temporary folder that is removed after the test. */
export async function temporaryFolder(finished: Finished = onTestFinished): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'tenantry-cli-')))
  finished(() => rm(folder, { recursive: true }))
  return folder
}

/** Makes a project with one migration of each kind; nothing is in the database yet. */
export async function openProject(
  database: TestDatabase,
  finished: Finished = onTestFinished,
): Promise<Project> {
  const folder = await temporaryFolder(finished)
  const prefix = database.prefix()
  const project: Project = {
    folder,
    prefix,
    shared: `shared_${prefix}s`,
    main: `main_${prefix}s`,
    tenantry: (...args) => callBinary(args, { cwd: folder, env: { DATABASE_URL: database.url } }),
    write: (path, text) => writeBelow(folder, path, text),
  }
  await project.write('tenantry.config.ts', configText(project))
  await project.write('migrations/public/1_create_rates.sql', 'create table rates (rate int);')
  await project.write('migrations/main/1_create_users.sql', 'create table users (name text);')
  await project.write('migrations/tenant/1_create_loans.sql', 'create table loans (amount int);')
  return project
}

/** Makes a project with all schemas up to date, the given tenants, and more files. */
export async function openFleet(
  database: TestDatabase,
  tenants: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<Project> {
  const project = await openProject(database)
  for (const [path, text] of Object.entries(files)) await project.write(path, text)
  const { folder, shared, main, prefix } = project
  const set = (kind: string): string => join(folder, 'migrations', kind)
  // Not through the CLI, for speed; each command has tests of its own.
  const router = new SchemaRouter({
    pool: database.pool(),
    schemas: {
      shared: { name: shared, migrations: set('public') },
      static: { [main]: { migrations: set('main') } },
      tenants: { prefix, migrations: set('tenant'), searchPath: [shared] },
    },
  })
  await router.migrations.up()
  for (const slug of tenants) await router.tenants.create({ slug })
  return project
}

/** The lines of an output. */
export function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '')
}

function configText({ shared, main, prefix }: Project): string {
  return `import { defineConfig } from 'tenantry'
export default defineConfig({
  schemas: {
    shared: { name: '${shared}', migrations: 'migrations/public' },
    static: { ${main}: { migrations: 'migrations/main' } },
    tenants: { prefix: '${prefix}', migrations: 'migrations/tenant', searchPath: ['${shared}'] },
  },
})
`
}

async function writeBelow(folder: string, path: string, text: string): Promise<void> {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}
