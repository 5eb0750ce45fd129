import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TenantryError } from '../../errors.js'
import { isMissingFile } from '../../support/missing-file.js'

const FILE = 'server.json'

/** What is kept beside persistent data: how to reach the server that serves it. */
export interface ServerFile {
  readonly password: string
  /** Missing until a server has run. */
  readonly port?: number
}

/** A password that needs no encoding in a URL. */
export function makePassword(): string {
  return randomBytes(16).toString('hex')
}

/**
 * Reads the file beside the data; `undefined` when there is none.
 *
 * @throws `EMBEDDED_POSTGRES_FAILED` when it is there and cannot be read.
 */
export async function readServerFile(directory: string): Promise<ServerFile | undefined> {
  const path = join(directory, FILE)
  try {
    const content: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (isServerFile(content)) return content
  } catch (error) {
    if (isMissingFile(error)) return undefined
    throw unreadable(path, error)
  }
  throw unreadable(path)
}

/**
 * Writes the file unless there is one, and returns what is there afterwards.
 *
 * Of two processes that set up the same directory, both go on with the password of the first.
 */
export async function ensureServerFile(directory: string): Promise<ServerFile> {
  const existing = await readServerFile(directory)
  if (existing !== undefined) return existing
  const made: ServerFile = { password: makePassword() }
  const draft = await writeDraft(directory, made)
  try {
    await link(draft, join(directory, FILE))
    return made
  } catch (error) {
    const other = await readServerFile(directory)
    if (other === undefined) throw error
    return other
  } finally {
    await rm(draft, { force: true })
  }
}

/** Replaces the file in one step, so that no reader sees half of it. */
export async function replaceServerFile(directory: string, content: ServerFile): Promise<void> {
  await rename(await writeDraft(directory, content), join(directory, FILE))
}

async function writeDraft(directory: string, content: ServerFile): Promise<string> {
  const draft = join(directory, `${FILE}.${randomBytes(4).toString('hex')}`)
  await writeFile(draft, `${JSON.stringify(content)}\n`, { mode: 0o600, flag: 'wx' })
  return draft
}

function isServerFile(content: unknown): content is ServerFile {
  if (typeof content !== 'object' || content === null) return false
  const { password, port }: Partial<Record<string, unknown>> = { ...content }
  return typeof password === 'string' && (port === undefined || typeof port === 'number')
}

function unreadable(path: string, cause?: unknown): TenantryError {
  return new TenantryError(
    'EMBEDDED_POSTGRES_FAILED',
    `The file ${path} holds the password of the data beside it and cannot be read. Make it readable for this user, or remove the whole directory to start with empty data.`,
    { cause },
  )
}
