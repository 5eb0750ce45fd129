import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { TenantryError } from '../../errors.js'
import { isRecord, parseJson } from '../../support/json.js'
import { readIfThere } from '../../support/missing-file.js'
import { writeWhole } from '../backup/archive-file.js'
import type { SchemaKind } from '../../selector/selector.js'
import type { BackupReport } from '../backup/backup.js'
import { digestOfFile } from '../backup/file-digest.js'

/** The first line of a manifest. */
interface ManifestHeader {
  readonly tenantry: 'backups'
  readonly format: number
  readonly begun: string
  /** Schemas that were selected and are in no archive: no migrations of ours make them. */
  readonly left: readonly string[]
}

/** A line of a manifest: an archive that is whole. */
export interface ArchivedFile extends Omit<BackupReport, 'tenant'> {
  readonly kind: SchemaKind
  /** The slug of the tenant whose schema it is. */
  readonly tenant?: string
  /** Its name in the folder. */
  readonly file: string
  /** When it was whole. */
  readonly at: string
  /** Of the file. */
  readonly size: number
  readonly sha256: string
}

/** What a folder of archives says of itself, by the tenants' slugs, and by the files of other schemas. */
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
  const text = await readIfThere(path)
  if (text === undefined) return undefined
  const [header, ...lines] = text.split('\n').map(parseJson)
  if (!isHeader(header)) throw noManifest(path)
  // A process that is killed leaves half a line at most.
  return new Map(
    lines.filter(isArchive).map((archive) => [archive.tenant ?? archive.file, archive]),
  )
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

/** Whether an archive is what the manifest says of it. */
export async function isWhole(folder: string, archive: ArchivedFile): Promise<boolean> {
  const path = join(folder, archive.file)
  const found = await stat(path).catch(() => undefined)
  return found?.size === archive.size && (await digestOfFile(path)).sha256 === archive.sha256
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

function isHeader(input: unknown): input is ManifestHeader {
  if (!isRecord(input) || input['tenantry'] !== 'backups') return false
  const { format } = input
  return typeof format === 'number' && format <= FORMAT
}

function isArchive(input: unknown): input is ArchivedFile {
  if (!isRecord(input)) return false
  const texts = [
    'kind',
    'schema',
    'file',
    'sha256',
    ...(input['kind'] === 'tenant' ? ['tenant'] : []),
  ]
  return texts.every((key) => typeof input[key] === 'string') && 'size' in input
}
