import type { SchemaRouter, Tenant, TenantryConfig } from 'tenantry'
import type { ClientBase } from 'pg'

/** What the doctor says on one point. */
export interface DoctorFinding {
  /** What was looked at, for example `version`. */
  readonly check: string
  /**
   * `fine`; `warning`: will bite some day; `drift`: to be migrated or corrected; `locked`: not seen,
   * because others hold a lock; `error`: broken.
   */
  readonly level: 'fine' | 'warning' | 'drift' | 'locked' | 'error'
  readonly message: string
  /** What to do; only where something is not fine. */
  readonly advice?: string
  /** The schemas or objects that it is about. */
  readonly names?: readonly string[]
  /** What exactly was found, line by line. */
  readonly details?: readonly string[]
}

/** What the checks look at. */
export interface Patient {
  readonly router: SchemaRouter
  readonly config: TenantryConfig
  /** A client without any scope. */
  readonly client: ClientBase
  /** Opens one more client without a scope, while `fn` runs. */
  readonly withClient: <T>(fn: (client: ClientBase) => Promise<T>) => Promise<T>
  /** Tenants of every status. */
  readonly tenants: readonly Tenant[]
  /** The shared schema, the static ones and the tenants'. */
  readonly schemas: readonly string[]
  /** What tenants' schemas begin with. */
  readonly prefix: string
}

/** One look at one thing. */
export type Check = (patient: Patient) => Promise<DoctorFinding>

/** The names that a query finds, for checks that are fine where it finds none. */
export async function namesOf(
  { client }: Patient,
  text: string,
  values: readonly unknown[],
): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>({
    text,
    values: [...values],
    types: AS_TEXT,
  })
  return rows.map(({ name }) => name)
}

/**
 * The one row that a query answers with, its values as the server's own texts.
 *
 * @throws `TypeError` when there is none.
 */
export async function rowOf<Row extends Readonly<Record<string, string>>>(
  client: ClientBase,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row> {
  const { rows } = await client.query<Row>({ text, values: [...values], types: AS_TEXT })
  const [first] = rows
  if (first === undefined) throw new TypeError('The server has answered with no row.')
  return first
}

/** The configuration may have set type parsers of its own. */
const AS_TEXT = { getTypeParser: () => (value: unknown) => value }
