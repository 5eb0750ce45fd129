import { BrokenArchive } from '../backup/archive-frame.js'
import { ARCHIVE_FORMAT, type ArchiveHeader, isWholeHeader } from '../backup/archive-record.js'
import { archiveNewer } from '../restore/archive-error.js'
import { isRecord } from '../../support/json.js'
import { readIfThere } from '../../support/missing-file.js'

/** What stands beside an archive of `pg_dump`: all that `pg_restore` has no use for. */
export interface Sidecar {
  readonly tenantry: 'pg_dump'
  readonly format: number
  /** Of the file of `pg_dump`. */
  readonly sha256: string
  readonly bytes: number
  /** What the rows of each table come to. */
  readonly sums: Readonly<Record<string, string>>
  readonly header: ArchiveHeader
}

/** Where the sidecar of an archive is. */
export function sidecarOf(path: string): string {
  return `${path}.json`
}

/** The text of a sidecar. */
export function sidecarText(parts: Pick<Sidecar, 'sha256' | 'bytes' | 'sums' | 'header'>): string {
  const sidecar: Sidecar = { tenantry: 'pg_dump', format: ARCHIVE_FORMAT, ...parts }
  return `${JSON.stringify(sidecar)}\n`
}

/**
 * The sidecar of an archive, if it has one.
 *
 * @throws {@link BrokenArchive}, `ARCHIVE_NEWER`, and what the system says of the file
 */
export async function readSidecar(path: string): Promise<Sidecar | undefined> {
  const file = sidecarOf(path)
  const text = await readIfThere(file)
  if (text === undefined) return undefined
  const input = parsed(text, file)
  if (!isSidecar(input)) throw new BrokenArchive(`${file} is not what was written beside it`)
  const format = Math.max(input.format, input.header.format)
  if (format > ARCHIVE_FORMAT) throw archiveNewer(format)
  return input
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new BrokenArchive(`${file} is no JSON`, { cause: error })
  }
}

function isSidecar(input: unknown): input is Sidecar {
  if (!isRecord(input)) return false
  const { tenantry, format, sha256, sums, header } = input
  const isOurs = tenantry === 'pg_dump' && typeof format === 'number' && typeof sha256 === 'string'
  return isOurs && isRecord(sums) && isWholeHeader(header)
}
