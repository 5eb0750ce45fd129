import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { FleetSchema, ScopedClient } from 'tenantry'
import { isObject, loadModule } from './load-module.js'
import { usageError } from './usage-error.js'

/** What a script is told beside its client. */
export interface ScriptContext extends FleetSchema {
  /** Aborted by Ctrl-C; a long script ends early then. */
  readonly signal: AbortSignal
}

/** What a script exports. */
export type Script = (db: ScopedClient, context: ScriptContext) => unknown

/** What is run in each schema. */
export type RunInput =
  | { readonly kind: 'sql'; readonly text: string }
  | { readonly kind: 'script'; readonly run: Script }

const SCRIPT = /\.[cm]?[jt]s$/

/**
 * What a command line wants to run: SQL out of a file or from the command line itself, or a script.
 *
 * @throws `OPTIONS_INVALID` unless exactly one is given, or when the file cannot be used.
 */
export async function readRunInput(
  file: string | undefined,
  execute: string | undefined,
): Promise<RunInput> {
  if (file === undefined && execute !== undefined) return { kind: 'sql', text: execute }
  if (file === undefined || execute !== undefined) {
    throw usageError(
      'execute',
      'Give the SQL as a file or with -e "…". A file stands before the names of -s and -x: ' +
        'tenantry run seed.sql -s acme',
    )
  }
  if (SCRIPT.test(file)) return { kind: 'script', run: await readScript(file) }
  return { kind: 'sql', text: await readText(file) }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw unusable('The SQL cannot be read', error)
  }
}

async function readScript(file: string): Promise<Script> {
  const loaded = await loadModule(resolve(file)).catch((error: unknown) => {
    throw unusable('The script cannot be loaded', error)
  })
  const script = isObject(loaded) && 'default' in loaded ? loaded['default'] : loaded
  if (isScript(script)) return script
  throw usageError(
    'file',
    `${file} exports no function. Write: export default async (db, { schema }) => { … }`,
  )
}

function isScript(input: unknown): input is Script {
  return typeof input === 'function'
}

function unusable(what: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error)
  return usageError('file', `${what}: ${reason}`, error)
}
