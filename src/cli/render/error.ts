import { inspect } from 'node:util'
import { isTenantryError } from 'tenantry'
import { CommanderError } from 'commander'
import { maskPasswords } from '../mask.js'

/** An error as one line, `CODE: sentence`, without passwords. */
export function errorLine(error: unknown): string {
  const line = `${codeOf(error)}: ${sentenceOf(error)}`
  return maskPasswords(line.replaceAll(/\s*\n\s*/g, ' '))
}

/** Everything that is known of an error, for those who set `DEBUG`; without passwords. */
export function errorDetails(error: unknown): string {
  return maskPasswords(inspect(error))
}

/** An error for a JSON document. */
export function errorJson(error: unknown): { readonly code: string; readonly message: string } {
  return { code: codeOf(error), message: maskPasswords(sentenceOf(error)) }
}

function codeOf(error: unknown): string {
  if (error instanceof CommanderError) return 'OPTIONS_INVALID'
  // PostgreSQL's SQLSTATE and Node's codes, such as ECONNREFUSED, are what one would search for.
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'UNEXPECTED'
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof CommanderError) return error.message.replace(/^error: /, '')
  // Node tries all addresses of a host and says nothing in the error that holds those of each.
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(sentenceOf).join(' ')
  }
  if (isUnreachable(error)) return `${error.message}. Check the URL of the database.`
  // The failures of a run, and what the linter found, were written one by one as they happened.
  const isTold = isTenantryError(error) && (error.report ?? error.findings) !== undefined
  const [first = ''] = error.message.split('\n')
  return isTold ? first : error.message
}

const UNREACHABLE: readonly unknown[] = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'ETIMEDOUT',
  // The database does not exist, or the user or the password is wrong.
  '3D000',
  '28000',
  '28P01',
]

function isUnreachable(error: Error): boolean {
  return 'code' in error && UNREACHABLE.includes(error.code)
}
