import { isRecord, parseJson } from '../../support/json.js'

/** One entry of drizzle-kit's journal. */
export interface JournalEntry {
  readonly idx: number
  readonly tag: string
  /** When it was made; drizzle's own migrator knows by this what a schema has had. */
  readonly when: number
}

/** The entries of a journal in their order; `undefined` for a text that is none. */
export function readJournal(text: string): readonly JournalEntry[] | undefined {
  const journal = parseJson(text)
  if (!isRecord(journal)) return undefined
  const entries = journal['entries']
  if (!Array.isArray(entries) || !entries.every(isEntry)) return undefined
  return entries.toSorted((a, b) => a.idx - b.idx)
}

/** The names of a journal's files, without their ending, in their order. */
export function drizzleOrder(text: string): readonly string[] | undefined {
  return readJournal(text)?.map(({ tag }) => tag)
}

function isEntry(input: unknown): input is JournalEntry {
  if (!isRecord(input)) return false
  const { idx, tag, when } = input
  return typeof idx === 'number' && typeof tag === 'string' && typeof when === 'number'
}
