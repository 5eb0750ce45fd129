import { isTenantryError } from 'tenantry'
import type { Place } from './fleet.js'

/** What every statement of the storm reads of a row. */
export interface Row {
  readonly home: string
  readonly tag: string
}

/** Keeps what went wrong in the storm, with the number of the scope that saw it. */
export class Witness {
  /** Rows of another schema than the scope's. */
  readonly foreign: string[] = []
  /** Errors that no act had to expect. */
  readonly surprises: string[] = []
  readonly acts: Map<string, number> = new Map()
  rowsSeen = 0
  rowsWritten = 0

  began(act: string): void {
    this.acts.set(act, (this.acts.get(act) ?? 0) + 1)
  }

  /** A tenant's table is never empty, so no rows at all are foreign, too. */
  saw(where: string, schema: string, rows: readonly Row[]): void {
    this.rowsSeen += rows.length
    const wrong = rows.find(({ home, tag }) => home !== schema || tag !== schema)
    if (wrong !== undefined) this.foreign.push(`${where}: ${JSON.stringify(wrong)} in ${schema}`)
    if (rows.length === 0) this.foreign.push(`${where}: no rows in ${schema}`)
  }

  surprise(where: string, error: unknown): void {
    this.surprises.push(`${where}: ${describe(error)}`)
  }

  /** Each kind of surprise once, with how often it came and where it came first. */
  summary(): readonly string[] {
    const kinds = new Map<string, { first: string; count: number }>()
    for (const surprise of this.surprises) {
      const kind = surprise.replace(/^#\d+ /, '').replaceAll(/\d+/g, 'n')
      const known = kinds.get(kind)
      if (known === undefined) kinds.set(kind, { first: surprise, count: 1 })
      else known.count += 1
    }
    return [...kinds.values()].map(({ first, count }) => `${count} x ${first}`)
  }
}

/** The code of an error: the package's own, or the server's SQLSTATE. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}

/** Errors that a scope of a tenant may see whose schema is being made again. */
export function causedByRemake(error: unknown, places: readonly Place[]): boolean {
  if (!places.some(({ unsteady }) => unsteady)) return false
  // XX000 is "could not open relation" and "cache lookup failed", in the moment of the drop.
  return isTenantryError(error, 'SCHEMA_MISSING') || ['42P01', 'XX000'].includes(codeOf(error))
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return `${codeOf(error)} ${error.message}`.trim()
}
