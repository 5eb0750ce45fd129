import { readFile } from 'node:fs/promises'
import { usageError } from './usage-error.js'

/**
 * The SQL of a command line: out of a file, or from the command line itself.
 *
 * @throws `OPTIONS_INVALID` unless exactly one is given, or when the file cannot be read.
 */
export async function readSql(
  file: string | undefined,
  execute: string | undefined,
): Promise<string> {
  if (file !== undefined && execute === undefined) return readFileText(file)
  if (file === undefined && execute !== undefined) return execute
  throw usageError(
    'execute',
    'Give the SQL as a file or with -e "…". A file stands before the names of -s and -x: ' +
      'tenantry run seed.sql -s acme',
  )
}

async function readFileText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw usageError('file', `The SQL cannot be read: ${reason}`, error)
  }
}
