import type { Pool } from 'pg'
import type { SchemaRouter, ScopeOptions, ScopedClient } from 'tenantry'
import type { Place } from './fleet.js'
import type { Random } from './random.js'
import { type Row, type Witness, codeOf } from './witness.js'

/** One scope of the storm: where it plays, what it works with, and who watches. */
export interface Scene {
  readonly router: SchemaRouter
  /** The pool beneath the router. */
  readonly pool: Pool
  /** A pool of the administrator, for what comes from outside. */
  readonly admin: Pool
  readonly random: Random
  readonly tenant: Place
  /** Another tenant, to be set, nested or pointed at. */
  readonly other: Place
  readonly witness: Witness
  readonly number: number
  /** The scope's number, stage and act, for messages. */
  readonly where: string
}

/** Whatever runs a statement: a scoped client, a pool, or a client of one. */
export interface Db {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>
}

export const READ = 'select home, tag from things order by id desc limit 3'
export const WRITE = 'insert into things (tag) values ($1) returning home, tag'

/** Reads rows and checks that all of them are the tenant's. */
export async function reads(scene: Scene, db: Db, place: Place = scene.tenant): Promise<void> {
  const { rows } = await db.query(READ)
  saw(scene, rows, place)
}

/** Writes a row that names the schema it is meant for, and checks where it was born. */
export async function writes(scene: Scene, db: Db, place: Place = scene.tenant): Promise<void> {
  const { rows } = await db.query(WRITE, [place.schema])
  scene.witness.rowsWritten += rows.length
  saw(scene, rows, place)
}

/** Reads or writes, as it comes. */
export async function works(scene: Scene, db: Db, place: Place = scene.tenant): Promise<void> {
  await (scene.random.percent(70) ? reads(scene, db, place) : writes(scene, db, place))
}

export function saw(scene: Scene, rows: readonly unknown[], place: Place = scene.tenant): void {
  scene.witness.saw(scene.where, place.schema, rows as Row[])
}

/** Runs a function in a scope of the scene's tenant. */
export function within<R>(
  { router, tenant }: Scene,
  fn: (db: ScopedClient) => Promise<R>,
  options: ScopeOptions = {},
): Promise<R> {
  return router.withTenant(tenant.slug, fn, options)
}

/** Resolves when the error is one of those that the act has to expect; its code is returned. */
export async function expects(
  promise: Promise<unknown>,
  ...codes: readonly (string | RegExp)[]
): Promise<string | undefined> {
  try {
    await promise
    return undefined
  } catch (error) {
    const code = codeOf(error)
    const message = error instanceof Error ? error.message : ''
    const known = codes.some((one) => (one instanceof RegExp ? one.test(message) : one === code))
    if (known) return code
    throw error
  }
}

export const nap = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
