import type { SectionMarks } from './section.js'

/** The tools whose folders can be read as they are. */
export type SqlFormat =
  | 'flyway'
  | 'golang-migrate'
  | 'plain'
  | 'prisma'
  | 'drizzle'
  | 'dbmate'
  | 'node-pg-migrate'
  | 'goose'

/** What the path of a file says about it. */
export interface FileRole {
  readonly half: 'up' | 'down'
  /** What the ledger calls the migration; both halves have the same. */
  readonly name: string
  /** What the migrations are ordered by, part by part. */
  readonly order: readonly bigint[]
}

/** How the files of one tool are called and divided. */
export interface FolderFormat {
  /** Says what a file is; `undefined` for one that the tool would not know. */
  role(path: string): FileRole | undefined
  /** For tools that keep both halves in one file. */
  readonly marks?: SectionMarks
  /** Two migrations may have the same number, and their names then decide. */
  readonly namesDecide?: boolean
}

const FLYWAY = /^(?:.*\/)?([VU])(\d+(?:[._]\d+)*)__(.+)\.sql$/
const PAIR = /^(\d+)[_-][^/]+\.(up|down)\.sql$/
const NUMBERED = /^(\d+)(?:[_.-][^/]*)?\.sql$/
const FOLDER = /^([^/]+)\/(migration|down)\.sql$/

function flyway(path: string): FileRole | undefined {
  const [, letter, version = '', rest = ''] = FLYWAY.exec(path) ?? []
  if (letter === undefined) return undefined
  return {
    half: letter === 'V' ? 'up' : 'down',
    name: `V${version}__${rest}`,
    order: withoutZeros(version.split(/[._]/).map(BigInt)),
  }
}

/** `1` and `1.0` are the same version. */
function withoutZeros(parts: readonly bigint[]): readonly bigint[] {
  return parts.slice(0, parts.findLastIndex((part) => part !== 0n) + 1)
}

function pair(path: string): FileRole | undefined {
  const [, number, half] = PAIR.exec(path) ?? []
  if (number === undefined) return undefined
  const name = path.replace(/\.(up|down)\.sql$/, '')
  return { half: half === 'up' ? 'up' : 'down', name, order: [BigInt(number)] }
}

function numbered(path: string): FileRole | undefined {
  const [, number] = NUMBERED.exec(path) ?? []
  if (number === undefined || PAIR.test(path)) return undefined
  return { half: 'up', name: path.slice(0, -'.sql'.length), order: [BigInt(number)] }
}

function folder(path: string): FileRole | undefined {
  const [, name, file] = FOLDER.exec(path) ?? []
  if (name === undefined) return undefined
  return { half: file === 'migration' ? 'up' : 'down', name, order: [] }
}

const DBMATE: SectionMarks = {
  up: /^--\s*migrate:up/,
  down: /^--\s*migrate:down/,
  outside: { line: /transaction\s*:\s*false/ },
}

const NODE_PG_MIGRATE: SectionMarks = {
  up: /^\s*--[\s-]*up\s+migration/i,
  down: /^\s*--[\s-]*down\s+migration/i,
  optional: true,
}

const GOOSE: SectionMarks = {
  up: /^--\s*\+goose\s+up\b/i,
  down: /^--\s*\+goose\s+down\b/i,
  outside: { file: /^--\s*\+goose\s+no\s+transaction\b/i },
}

/** The formats whose files are numbered; drizzle's order is in a file of its own. */
export const FOLDER_FORMATS: Readonly<Record<Exclude<SqlFormat, 'drizzle'>, FolderFormat>> = {
  flyway: { role: flyway },
  'golang-migrate': { role: pair },
  plain: { role: numbered, namesDecide: true },
  prisma: { role: folder, namesDecide: true },
  dbmate: { role: numbered, marks: DBMATE },
  'node-pg-migrate': { role: numbered, marks: NODE_PG_MIGRATE, namesDecide: true },
  goose: { role: numbered, marks: GOOSE },
}

/** All formats by name, for the check of an option. */
export const SQL_FORMATS: readonly string[] = [...Object.keys(FOLDER_FORMATS), 'drizzle']

const BY_MARKS = ['dbmate', 'node-pg-migrate', 'goose'] as const

/** Which format a file looks like: by its path, and by its marks where paths do not tell. */
export function formatOf(path: string, text: string): keyof typeof FOLDER_FORMATS | undefined {
  if (flyway(path)) return 'flyway'
  if (folder(path)) return 'prisma'
  if (pair(path)) return 'golang-migrate'
  if (!numbered(path)) return undefined
  const lines = text.split('\n')
  return BY_MARKS.find((name) => lines.some((line) => hasMark(line, name))) ?? 'plain'
}

function hasMark(line: string, name: (typeof BY_MARKS)[number]): boolean {
  const { marks } = FOLDER_FORMATS[name]
  return marks !== undefined && (marks.up.test(line) || marks.down.test(line))
}
