import type { SchemaRouter } from '../../router/schema-router.js'
import type { ConformanceCase } from './conformance-case.js'
import { ormChecks } from './orm-checks.js'
import { OrmPlace } from './orm-place.js'
import type { TestedOrm } from './tested-orm.js'

/** An ORM that is tested, and the router that it answers for. */
export interface OpenedOrm {
  /** Its pool should be small, such as five clients, so that requests have to wait for each other. */
  readonly router: SchemaRouter
  readonly orm: TestedOrm
}

/** How {@link testOrmAdapter} tests. */
export interface TestOrmAdapterOptions {
  /** `it` or `test` of your test runner. */
  readonly test: (name: string, fn: () => Promise<void>) => unknown
  /** Called in each test; the same ORM may be given each time. */
  readonly open: () => OpenedOrm | Promise<OpenedOrm>
}

/**
 * What the package expects of an ORM with its adapter, as functions to be run.
 *
 * Each makes tenants of its own with a table `notes`, and purges them at its end. It rejects with an
 * `AssertionError` of `node:assert`, or with what the ORM throws.
 *
 * @param open Opens the ORM for one case.
 * @example
 * import { ormAdapterCases, type OpenedOrm } from 'tenantry/testing'
 *
 * async function check(open: () => OpenedOrm): Promise<void> {
 *   for (const { name, run } of ormAdapterCases(open)) {
 *     console.log(name)
 *     await run()
 *   }
 * }
 */
export function ormAdapterCases(
  open: () => OpenedOrm | Promise<OpenedOrm>,
): readonly ConformanceCase[] {
  return Object.entries(ormChecks).map(([name, { tenants, check }]) => ({
    name,
    run: async () => {
      const { router, orm } = await open()
      const place = new OrmPlace(router, orm, tenants)
      try {
        await place.open()
        await check(place)
      } finally {
        await place.close()
      }
    },
  }))
}

/**
 * Adds a test for each thing that the package expects of an ORM with its adapter.
 *
 * @example
 * import { test } from 'node:test'
 * import { drizzle } from 'drizzle-orm/node-postgres'
 * import { eq, sql } from 'drizzle-orm'
 * import { integer, pgTable, text } from 'drizzle-orm/pg-core'
 * import { SchemaRouter } from 'tenantry'
 * import { tenantDrizzle } from 'tenantry/drizzle'
 * import { type OrmNotes, testOrmAdapter } from 'tenantry/testing'
 *
 * const router = new SchemaRouter({ poolOptions: { max: 5 } })
 * const db = tenantDrizzle(router, (client) => drizzle({ client }))
 * const notes = pgTable('notes', {
 *   id: integer().primaryKey().generatedByDefaultAsIdentity(),
 *   body: text().notNull(),
 * })
 * const notesOf = (on: Pick<typeof db, 'select' | 'insert' | 'update' | 'delete' | 'execute'>): OrmNotes => ({
 *   add: (body) => on.insert(notes).values({ body }),
 *   bodies: async () => (await on.select().from(notes)).map(({ body }) => body),
 *   change: (from, to) => on.update(notes).set({ body: to }).where(eq(notes.body, from)),
 *   remove: (body) => on.delete(notes).where(eq(notes.body, body)),
 *   raw: async (statement) => (await on.execute(sql.raw(statement))).rows,
 * })
 * const orm = {
 *   ...notesOf(db),
 *   transaction: (work: (inside: OrmNotes) => Promise<void>) =>
 *     db.transaction((tx) => work(notesOf(tx))),
 * }
 * testOrmAdapter({ test, open: () => ({ router, orm }) })
 */
export function testOrmAdapter({ test, open }: TestOrmAdapterOptions): void {
  for (const { name, run } of ormAdapterCases(open)) test(name, run)
}
