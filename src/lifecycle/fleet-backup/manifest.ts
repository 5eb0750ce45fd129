import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { TenantryError } from '../../errors.js'
import { isError } from '../../support/is-error.js'
import { writeWhole } from '../backup/archive-file.js'
import type { BackupReport } from '../backup/backup.js'

/** The first line of a manifest. */
interface ManifestHeader {
  readonly tenantry: 'backups'
  readonly format: number
  readonly begun: string
  /** Schemas that were selected and are in no archive: they belong to no tenant. */
  readonly left: readonly string[]
}

/** A line of a manifest: an archive that is whole. */
export interface ArchivedFile extends BackupReport {
  /** Its name in the folder. */
  readonly file: string
  /** When it was whole. */
  readonly at: string
  /** Of the file. */
  readonly size: number
  readonly sha256: string
}

/** What a folder of archives says of itself, by the tenants' slugs. */
export type Archives = ReadonlyMap<string, ArchivedFile>

const NAME = 'manifest.jsonl'
const FORMAT = 1

/**
 * The archives that a folder has by its manifest; `undefined` where there is none.
 *
 * @throws `ARCHIVE_INVALID`
 */
export async function readManifest(folder: string): Promise<Archives | undefined> {
  const path = join(folder, NAME)
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isError(error) && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const [header, ...lines] = text.split('\n').map(parse)
  if (!isHeader(header)) throw noManifest(path)
  // A process that is killed leaves half a line at most.
  return new Map(lines.filter(isArchive).map((archive) => [archive.tenant, archive]))
}

/** Notes one archive after the other: with thousands of them, a document would be written too often. */
export class ManifestWriter {
  readonly #path: string
  #last: Promise<unknown> = Promise.resolve()

  private constructor(path: string) {
    this.#path = path
  }

  /** Begins a manifest with the archives that are kept; the former one is there until then. */
  static async begin(
    folder: string,
    { left, kept }: { readonly left: readonly string[]; readonly kept: Archives },
  ): Promise<ManifestWriter> {
    const path = join(folder, NAME)
    const begun = new Date().toISOString()
    const header: ManifestHeader = { tenantry: 'backups', format: FORMAT, begun, left }
    const lines = [header, ...kept.values()].map((line) => `${JSON.stringify(line)}\n`)
    await writeWhole(path, (file) => pipeline(Readable.from(lines), file))
    return new ManifestWriter(path)
  }

  /** Appends a line that is on the disk when this resolves. */
  add(archive: ArchivedFile): Promise<void> {
    const written = this.#last.then(() => this.#append(`${JSON.stringify(archive)}\n`))
    // Its failure is that of whoever awaits it, and does not keep the next one from being written.
    this.#last = written.catch(() => {})
    return written
  }

  async #append(line: string): Promise<void> {
    const file = await open(this.#path, 'a')
    try {
      await file.write(line)
      await file.sync()
    } finally {
      await file.close()
    }
  }
}

/** How large a file is, and its SHA-256. */
export async function sealOf(path: string): Promise<Pick<ArchivedFile, 'size' | 'sha256'>> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk)
    size += chunk.length
  }
  return { size, sha256: hash.digest('hex') }
}

/** Whether an archive is what the manifest says of it. */
export async function isWhole(folder: string, archive: ArchivedFile): Promise<boolean> {
  const path = join(folder, archive.file)
  const found = await stat(path).catch(() => undefined)
  return found?.size === archive.size && (await sealOf(path)).sha256 === archive.sha256
}

/** The error for a folder in which `backupAll` has not been. */
export function noManifest(path: string): TenantryError {
  return new TenantryError(
    'ARCHIVE_INVALID',
    `"${path}" is no manifest of tenants.backupAll(), or one of a later version. Nothing was changed. ` +
      'Name the folder that tenants.backupAll() has written, or restore its archives one by one.',
    { file: path },
  )
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function isHeader(input: unknown): input is ManifestHeader {
  return isObject(input) && 'tenantry' in input && input.tenantry === 'backups' && isRead(input)
}

function isRead(input: object): boolean {
  return 'format' in input && typeof input.format === 'number' && input.format <= FORMAT
}

function isArchive(input: unknown): input is ArchivedFile {
  if (!isObject(input)) return false
  const texts = ['tenant', 'schema', 'file', 'sha256'] as const
  return (
    texts.every((key) => key in input && typeof Reflect.get(input, key) === 'string') &&
    'size' in input
  )
}

function isObject(input: unknown): input is object {
  return typeof input === 'object' && input !== null
}
