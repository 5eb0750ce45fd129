import { createHash } from 'node:crypto'
import { type SchemaName, quoteIdent, quoteLiteral } from '../names/schema-name.js'
import type { Migration } from './source.js'

type LedgerRow = Pick<Migration, 'id' | 'name' | 'hash'>

/** Begins the comment on a ledger; another version of the package may write another one. */
export const FINGERPRINT_TAG = 'tenantry ledger 1:'

const START = createHash('sha1').digest('hex')

/** What the comment on a ledger says of its rows. */
export function fingerprintOf(rows: readonly LedgerRow[]): string {
  const ordered = rows.toSorted((a, b) => a.id - b.id)
  return shown(ordered.length, ordered.at(-1)?.id, ordered.reduce(chained, START))
}

/** The rows that a fingerprint stands for: those of one of the set's beginnings, or unknown. */
export function rowsOfFingerprint(
  set: readonly Migration[],
  fingerprint: string,
): readonly LedgerRow[] | undefined {
  const known = prefixes.get(set) ?? prefixesOf(set)
  prefixes.set(set, known)
  return known.get(fingerprint)
}

/**
 * The text that notes the state of a ledger on the ledger itself.
 *
 * An adopted ledger may belong to a role that lets others write rows but no comment; then the
 * ledger is read instead, so that is no failure.
 */
export function fingerprintText(schema: SchemaName, rows: readonly LedgerRow[]): string {
  const comment = commentText(schema, fingerprintOf(rows))
  const body = `begin ${comment} exception when insufficient_privilege then null; end`
  return `do ${quoteLiteral(body)};`
}

/** The same, but it fails without the right to it; a block costs more than all that is in it. */
export function commentText(schema: SchemaName, fingerprint: string): string {
  return `comment on table ${quoteIdent(schema)}.migrations is ${quoteLiteral(fingerprint)};`
}

const prefixes = new WeakMap<readonly Migration[], ReadonlyMap<string, readonly LedgerRow[]>>()

function prefixesOf(set: readonly Migration[]): ReadonlyMap<string, readonly LedgerRow[]> {
  const found = new Map<string, readonly LedgerRow[]>()
  let hash = START
  for (const [index, migration] of set.entries()) {
    hash = chained(hash, migration)
    found.set(shown(index + 1, migration.id, hash), set.slice(0, index + 1))
  }
  return found
}

function chained(before: string, { id, name, hash }: LedgerRow): string {
  return createHash('sha1')
    .update(JSON.stringify([before, id, name, hash]))
    .digest('hex')
}

function shown(count: number, head: number | undefined, hash: string): string {
  return `${FINGERPRINT_TAG} head=${head ?? 'none'} count=${count} hash=${hash}`
}
