import { judged } from '../../support/judged-text.js'
import { splitStatements } from '../sql-text.js'

/** What a statement can leave on its connection for whoever uses it next. */
export type Leaving = 'setting' | 'temporary' | 'prepared' | 'channel' | 'lock' | 'cursor'

/** What the server's command tag says. `SET` is judged by its text: `SET LOCAL` leaves nothing. */
const BY_TAG: ReadonlyMap<string, Leaving> = new Map([
  ['RESET', 'setting'],
  ['LISTEN', 'channel'],
  ['PREPARE', 'prepared'],
  ['DECLARE CURSOR', 'cursor'],
  ['LOAD', 'setting'],
])

/** Most texts have none of these words, and most queries only this test. */
const SUSPICIOUS = /\b(temp|temporary|pg_temp|set_config|pg_settings|pg_(try_)?advisory_lock)/i
/** Tables, views, sequences, `select … into temp`, and whatever is made in `pg_temp`. */
const TEMPORARY = /\b((create|replace|local|global|into)\s+(temp|temporary)\s|pg_temp)/i
const SESSION_LOCK = /\bpg_(try_)?advisory_lock/i
const COMMENT = /--[^\n]*|\/\*[^]*?\*\//g
const SET_CONFIG = /\bset_config\b|\bupdate\b[^;]*\bpg_settings\b/i
/** Values without parentheses, quoted or not, and the word that makes the change local. */
const LOCAL_SET_CONFIG = /\bset_config\s*\((?:'[^']*'|[^()'])*,\s*(true|'t'|'true')\s*\)/gi
const TRANSACTION_SETTINGS: ReadonlySet<string> = new Set(['local', 'transaction', 'constraints'])

/**
 * What a statement may leave on its connection, as far as its text tells; it is noted before the
 * statement is run, because a lock outlives the failure of the statement that took it.
 *
 * A function can hide what it does; the guard of the next scope's prelude looks for what matters
 * there, and a scope's own path is set anew for each statement anyway.
 */
export const leavingsOfText: (text: string) => readonly Leaving[] = judged((text) =>
  SUSPICIOUS.test(text) ? byText(text) : NOTHING,
)

/** What a finished statement has left, as far as the server's command tag tells. */
export function leavingOfTag(tag: string, text: string): Leaving | undefined {
  if (tag === 'SET') return setsSession(text) ? 'setting' : undefined
  // Without that word a cursor ends with its transaction.
  return tag === 'DECLARE CURSOR' && !/\bhold\b/i.test(text) ? undefined : BY_TAG.get(tag)
}

const NOTHING: readonly Leaving[] = []

function byText(text: string): readonly Leaving[] {
  const found: Leaving[] = []
  if (SET_CONFIG.test(text.replaceAll(LOCAL_SET_CONFIG, ''))) found.push('setting')
  // A comment may stand between the words, and what looks like one may be part of a string.
  if (TEMPORARY.test(text) || TEMPORARY.test(text.replaceAll(COMMENT, ' '))) found.push('temporary')
  if (SESSION_LOCK.test(text)) found.push('lock')
  return found
}

function setsSession(text: string): boolean {
  // Most scripts have not even the word, and to split them takes its time.
  if (!/\bset\b/i.test(text)) return false
  return splitStatements(text).some(
    ({ words: [first = '', second = ''] }) => first === 'set' && !TRANSACTION_SETTINGS.has(second),
  )
}
