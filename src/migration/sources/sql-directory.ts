import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { TenantryError } from '../../errors.js'
import { optionInvalid } from '../../support/options.js'
import { lineAt } from '../../support/line.js'
import type { Migration, MigrationSource } from '../source.js'
import { drizzleOrder } from './drizzle-journal.js'
import {
  FOLDER_FORMATS,
  type FileRole,
  type FolderFormat,
  SQL_FORMATS,
  type SqlFormat,
  formatOf,
} from './folder-format.js'
import { sectionsOf } from './section.js'
import { reasonOf } from '../../support/is-error.js'
import { present } from '../../support/present.js'

/** How {@link sqlDirectory} reads a folder. */
export interface SqlDirectoryOptions {
  /** Whose format the files have. @defaultValue what all files of the folder look like */
  readonly format?: SqlFormat
}

interface SqlFile {
  readonly path: string
  readonly text: string
}

interface PlacedFile extends SqlFile {
  readonly role: FileRole
}

const JOURNAL = 'meta/_journal.json'

/**
 * A folder of SQL migrations in the format of another tool, as it is.
 *
 * The ids count from 1 in the tool's own order, and the hash is the SHA-1 of file name and SQL. What
 * the other tool has already run in a schema is not known to tenantry.
 *
 * @param path Path of the folder; a relative one begins at the working directory.
 * @throws `OPTIONS_INVALID` for an unknown format; `MIGRATION_SOURCE_INVALID` from `load`, when the
 * folder cannot be read, mixes formats, or has a file that fits none.
 * @example
 * import { defineConfig } from 'tenantry'
 * import { sqlDirectory } from 'tenantry/migrate'
 *
 * export default defineConfig({
 *   schemas: { tenants: { migrations: sqlDirectory('prisma/migrations') } },
 * })
 */
export function sqlDirectory(path: string, options: SqlDirectoryOptions = {}): MigrationSource {
  const { format } = options
  if (format !== undefined && !SQL_FORMATS.includes(format)) {
    throw optionInvalid('format', `Option "format" must be one of ${SQL_FORMATS.join(', ')}.`)
  }
  const folder = resolve(path)
  return { origin: folder, load: () => loadFolder(folder, format) }
}

async function loadFolder(
  folder: string,
  format: SqlFormat | undefined,
): Promise<readonly Migration[]> {
  const paths = await readdir(folder, { recursive: true }).catch((error: unknown) => {
    const reason = reasonOf(error)
    throw invalid(folder, [], reason, error)
  })
  const names = paths.map((path) => path.split(sep).join('/')).toSorted()
  const files = await Promise.all(
    names
      .filter((name) => name.endsWith('.sql'))
      .map(async (name) => ({ path: name, text: await textOf(join(folder, name)) })),
  )
  if (files.length === 0 && format === undefined) {
    throw invalid(folder, [], 'there is no .sql file in it')
  }
  const isDrizzle = format === 'drizzle' || (format === undefined && names.includes(JOURNAL))
  if (isDrizzle)
    return migrationsOf(folder, await inJournal(folder, files), { role: () => undefined })
  const rules = FOLDER_FORMATS[format ?? detected(folder, files)]
  return migrationsOf(folder, inOrder(folder, files, rules), rules)
}

/** Editors of Windows write a byte order mark, which is no SQL. */
async function textOf(file: string): Promise<string> {
  const text = await readFile(file, 'utf8')
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

/** The one format that the files have; a file without marks may stand among those of node-pg-migrate. */
function detected(folder: string, files: readonly SqlFile[]): keyof typeof FOLDER_FORMATS {
  const found = new Map<keyof typeof FOLDER_FORMATS, string>()
  for (const { path, text } of files) {
    const format = formatOf(path, text)
    if (format === undefined) {
      throw invalid(folder, [path], 'the name fits none of the formats; move or rename it')
    }
    if (!found.has(format)) found.set(format, path)
  }
  if (found.has('node-pg-migrate')) found.delete('plain')
  const [[first] = ['plain' as const], ...others] = [...found]
  if (others.length === 0) return first
  throw invalid(
    folder,
    [...found.values()],
    `they are of different formats (${[...found.keys()].join(', ')}); name one by "format", or ` +
      'keep them in folders of their own',
  )
}

async function inJournal(
  folder: string,
  files: readonly SqlFile[],
): Promise<readonly PlacedFile[]> {
  const text = await readFile(join(folder, JOURNAL), 'utf8').catch((error: unknown) => {
    throw invalid(folder, [JOURNAL], 'it cannot be read', error)
  })
  const tags = drizzleOrder(text)
  if (tags === undefined) throw invalid(folder, [JOURNAL], 'it is no journal of drizzle-kit')
  const byPath = new Map(files.map((file) => [file.path, file]))
  const placed = tags.map((name, index): PlacedFile => {
    const file = byPath.get(`${name}.sql`)
    if (file === undefined)
      throw invalid(folder, [`${name}.sql`], 'the journal names it; restore it')
    return { ...file, role: { half: 'up', name, order: [BigInt(index)] } }
  })
  const unknown = files.filter(({ path }) => !placed.some((file) => file.path === path))
  if (unknown.length === 0) return placed
  throw invalid(
    folder,
    unknown.map(({ path }) => path),
    'the journal does not name them',
  )
}

function inOrder(
  folder: string,
  files: readonly SqlFile[],
  format: FolderFormat,
): readonly PlacedFile[] {
  const placed = files.map((file): PlacedFile => {
    const role = format.role(file.path)
    if (role === undefined) throw invalid(folder, [file.path], 'the name does not fit the format')
    return { ...file, role }
  })
  const sorted = placed.toSorted((a, b) => compare(a.role, b.role))
  const ups = sorted.filter(({ role }) => role.half === 'up')
  const twin = ups.find(
    ({ role }, at) => at > 0 && compareOrder(role.order, present(ups[at - 1]).role.order) === 0,
  )
  if (format.namesDecide !== true && twin !== undefined) {
    const same = ups.filter(({ role }) => compareOrder(role.order, twin.role.order) === 0)
    throw invalid(
      folder,
      same.map(({ path }) => path),
      'they have the same number',
    )
  }
  return sorted
}

function compare(a: FileRole, b: FileRole): number {
  const byNumber = compareOrder(a.order, b.order)
  if (byNumber !== 0 || a.name === b.name) return byNumber
  return a.name < b.name ? -1 : 1
}

function compareOrder(a: readonly bigint[], b: readonly bigint[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const [left, right] = [a[at] ?? 0n, b[at] ?? 0n]
    if (left !== right) return left < right ? -1 : 1
  }
  return 0
}

function migrationsOf(
  folder: string,
  files: readonly PlacedFile[],
  format: FolderFormat,
): readonly Migration[] {
  const ups = files.filter(({ role }) => role.half === 'up')
  const downs = new Map(
    files.filter(({ role }) => role.half === 'down').map((file) => [file.role.name, file]),
  )
  const migrations = ups.map((file, index): Migration => {
    const { up, down } = halvesOf(folder, file, format)
    const own = downs.get(file.role.name)
    const reverse = own?.text ?? down
    downs.delete(file.role.name)
    return {
      id: index + 1,
      name: file.role.name,
      fileName: file.path,
      sql: up,
      hash: createHash('sha1')
        .update(file.path + up, 'utf8')
        .digest('hex'),
      file: join(folder, file.path),
      ...(reverse !== undefined && {
        down: reverse,
        downFile: join(folder, own?.path ?? file.path),
      }),
    }
  })
  if (downs.size === 0) return migrations
  const lonely = [...downs.values()].map(({ path }) => path)
  throw invalid(folder, lonely, 'there is no migration that they would take back')
}

function halvesOf(
  folder: string,
  { path, text }: SqlFile,
  { marks }: FolderFormat,
): { readonly up: string; readonly down?: string } {
  if (marks === undefined) return { up: text }
  const { stray, ...halves } = sectionsOf(text, marks)
  if (stray === undefined) return halves
  const line = lineAt(text, stray)
  throw invalid(folder, [path], `line ${line} stands outside of its up and down parts`)
}

function invalid(
  folder: string,
  files: readonly string[],
  reason: string,
  cause?: unknown,
): TenantryError {
  const what = files.length === 0 ? '' : `${files.join(', ')}: `
  const [first] = files
  return new TenantryError(
    'MIGRATION_SOURCE_INVALID',
    `The migrations in ${folder} cannot be used: ${what}${reason}.`,
    {
      file: first === undefined ? folder : join(folder, first),
      ...(first !== undefined && { migration: first }),
      ...(files.length > 1 && { candidates: files }),
      cause,
    },
  )
}
