import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { TenantryError } from 'tenantry'
import { directory } from 'tenantry/migrate'
import { exists, namesIn } from './files.js'
import { usageError } from './usage-error.js'

/** A migration that is about to be written, and its reverse. */
export interface NewMigration {
  readonly up: NewFile
  readonly down: NewFile
}

interface NewFile {
  readonly path: string
  readonly text: string
}

/** Number, what separates it, name and ending: `0007`, `-`, `add-fees`, `sql`. */
const NUMBERED = /^(\d+)([_-]?)(.*)\.(?:sql|js)$/i

/**
 * The migration that comes next in a folder, numbered and spelled as those that are there.
 *
 * @throws `MIGRATION_SOURCE_INVALID` for a folder that cannot be migrated as it is, and
 * `OPTIONS_INVALID` for a name without letters and digits, or that another one has
 */
export async function nextMigration(folder: string, name: string): Promise<NewMigration> {
  const names = await numberedFiles(folder)
  // A number behind a gap, or a second one, would break the set for everybody.
  if (names.length > 0) await directory(folder).load()
  const [last = ''] = names.toSorted((a, b) => numberOf(b) - numberOf(a))
  const [, digits = '0', separator] = NUMBERED.exec(last) ?? []
  const number = String(Number(digits) + 1).padStart(digits.length, '0')
  const words = wordsOf(name)
  const between = separator || '_'
  const title = words.join(between)
  const file = `${number}${between}${title}.sql`
  const namesake = names.find((each) => NUMBERED.exec(each)?.[3] === title)
  if (namesake !== undefined) throw called(title, namesake)
  return {
    up: { path: join(folder, file), text: `-- ${words.join(' ')}\n` },
    down: { path: join(folder, 'down', file), text: reverseText(file) },
  }
}

/** Writes both files, or none where one of them is there already. */
export async function writeMigration({ up, down }: NewMigration): Promise<void> {
  for (const { path } of [up, down]) if (await exists(path)) throw taken(path)
  await mkdir(dirname(down.path), { recursive: true })
  // The flag refuses a file that appeared since it was looked for.
  await writeFile(up.path, up.text, { flag: 'wx' })
  await writeFile(down.path, down.text, { flag: 'wx' })
}

async function numberedFiles(folder: string): Promise<readonly string[]> {
  const names = await namesIn(folder)
  return names.filter((name) => NUMBERED.test(name))
}

function numberOf(file: string): number {
  return Number.parseInt(file, 10)
}

/** What every file system, shell and URL takes as it is. */
function wordsOf(name: string): readonly string[] {
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{Mark}/gu, '')
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
  if (words.length > 0) return words
  throw usageError('name', 'Give the migration a name with letters or digits, such as "add fees".')
}

/** A reverse that does nothing would say that something was taken back. */
function reverseText(file: string): string {
  return `-- Takes ${file} back. Delete this file if there is no way back.\n`
}

/** Two migrations of one name would break the set for everybody. */
function called(title: string, file: string): TenantryError {
  return usageError(
    'name',
    `${file} is called "${title}" already. Give this one a name of its own.`,
  )
}

function taken(path: string): TenantryError {
  return usageError('name', `${path} is there already, and nothing is overwritten. Move it first.`)
}
