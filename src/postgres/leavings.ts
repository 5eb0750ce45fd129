import { splitStatements } from './sql-text.js'

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
const SUSPICIOUS = /\b(temp|temporary|pg_temp|set_config|pg_(try_)?advisory_lock)/i
const TEMPORARY = /\b(temp|temporary|pg_temp)\b/i
const SESSION_LOCK = /\bpg_(try_)?advisory_lock/i
const SET_CONFIG = /\bset_config\s*\(/i
const LOCAL_SET_CONFIG = /\bset_config\s*\([^()]*,\s*(true|'t'|'true')\s*\)/i
const TRANSACTION_SETTINGS: ReadonlySet<string> = new Set(['local', 'transaction', 'constraints'])

/**
 * What a finished statement has left on its connection, as far as its tag and its text tell.
 *
 * A function can hide what it does; the guard of the next scope's prelude looks for what matters
 * there, and a scope's own path is set anew for each statement anyway.
 */
export function leavingsOf(tag: string, text: string): readonly Leaving[] {
  const byTag = tag === 'SET' ? bySet(text) : BY_TAG.get(tag)
  const found = SUSPICIOUS.test(text) ? byText(text) : NOTHING
  return byTag === undefined ? found : [byTag, ...found]
}

const NOTHING: readonly Leaving[] = []

function bySet(text: string): Leaving | undefined {
  return setsSession(text) ? 'setting' : undefined
}

function byText(text: string): readonly Leaving[] {
  const found: Leaving[] = []
  if (SET_CONFIG.test(text) && !LOCAL_SET_CONFIG.test(text)) found.push('setting')
  if (TEMPORARY.test(text)) found.push('temporary')
  if (SESSION_LOCK.test(text)) found.push('lock')
  return found
}

function setsSession(text: string): boolean {
  return splitStatements(text).some(
    ({ words: [first = '', second = ''] }) => first === 'set' && !TRANSACTION_SETTINGS.has(second),
  )
}
