import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type SchemaRouter, select } from 'tenantry'

const ARRIVING = fileURLToPath(new URL('../migrations/arriving/', import.meta.url))

/** What a lender's schema is like, seen from outside. */
export interface LenderState {
  readonly version: number
  readonly loans: number
  /** Whether `loans` has the column that migration 19 brings. */
  readonly hasReference: boolean
}

/** Puts migration 19 into the service's folder, as a deployment would. */
export async function deliverReferences(folder: string): Promise<string> {
  const name = '19_add_loan_reference.sql'
  const target = join(folder, 'migrations/tenant')
  await copyFile(join(ARRIVING, name), join(target, name))
  await copyFile(join(ARRIVING, 'down', name), join(target, 'down', name))
  return name
}

/** Puts migration 20 into the service's folder; a migration is a file with SQL. */
export async function deliverLanguages(folder: string): Promise<string> {
  const name = '20_add_borrower_language.sql'
  const target = join(folder, 'migrations/tenant')
  await writeFile(join(target, name), 'alter table borrowers add column language text;\n')
  await writeFile(join(target, 'down', name), 'alter table borrowers drop column language;\n')
  return name
}

/** How many lenders are on each version. */
export async function countVersions(router: SchemaRouter): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>()
  for (const { version } of await router.migrations.status({ select: select.tenants() })) {
    counts.set(version, (counts.get(version) ?? 0) + 1)
  }
  return counts
}

/** Looks at one lender's schema. */
export async function lookAt(router: SchemaRouter, lender: string): Promise<LenderState> {
  const [status] = await router.migrations.status({ select: select.names(lender) })
  const { rows } = await router.withTenant(lender, (db) =>
    db.query<{ loans: number; hasReference: boolean }>(
      `select (select count(*)::int from loans) as loans,
              exists (select from information_schema.columns
                      where table_schema = current_schema() and table_name = 'loans'
                        and column_name = 'reference') as "hasReference"`,
    ),
  )
  return { version: status?.version ?? 0, loans: 0, hasReference: false, ...rows[0] }
}

/** Mends a lender's data: of loans with one number, all but the first get a number of their own. */
export async function mendReferences(router: SchemaRouter, lender: string): Promise<number> {
  const { rowCount } = await router.withTenant(lender, (db) =>
    db.query(
      `update loans l set external_ref = l.external_ref || '/' || l.id
       where exists (select from loans o where o.external_ref = l.external_ref and o.id < l.id)`,
    ),
  )
  return rowCount ?? 0
}
