import { inspect } from 'node:util'
import type { FieldDef } from 'pg'
import { countText } from './count.js'

/** The part of pg's result that is rendered; values are the server's own texts. */
export interface StatementResult {
  readonly command: string | null
  readonly rowCount: number | null
  readonly fields: readonly Pick<FieldDef, 'name'>[]
  readonly rows: readonly (readonly (string | null)[])[]
}

const PLAIN = /^[^\s"=]+$/

/** One line for each row, `id=7 name="Ada Lovelace"`, or one for what a statement did. */
export function resultLines({ command, rowCount, fields, rows }: StatementResult): string[] {
  if (fields.length === 0) return command === null ? [] : [commandText(command, rowCount)]
  if (rows.length === 0) return [countText(0, 'row')]
  return rows.map((row) =>
    fields.map(({ name }, index) => `${name}=${valueText(row[index] ?? null)}`).join(' '),
  )
}

function commandText(command: string, rowCount: number | null): string {
  return rowCount === null ? command : `${command} ${countText(rowCount, 'row')}`
}

function valueText(value: string | null): string {
  if (value === null) return 'null'
  // The word null would look like no value at all.
  return PLAIN.test(value) && value !== 'null' ? value : JSON.stringify(value)
}

/** A result as a part of a document; values are the server's own texts. */
export function resultJson({ command, rowCount, fields, rows }: StatementResult): object {
  return { command, rowCount, fields: fields.map(({ name }) => name), rows }
}

/** What a script returned, in one line; nothing where that is nothing. */
export function valueLines(value: unknown): string[] {
  if (value === undefined) return []
  return [typeof value === 'string' ? value : inspect(value, { breakLength: Infinity, depth: 4 })]
}
