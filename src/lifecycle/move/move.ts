import type { PoolClient } from 'pg'
import { TenantryError, isTenantryError } from '../../errors.js'
import { DEFAULT_LOCK_TIMEOUT_MS } from '../../migration/run/run-options.js'
import { type Slug, parseSlug } from '../../names/slug.js'
import { cancellable } from '../../postgres/cancellable.js'
import type { Tenant } from '../../registry/tenant.js'
import { refuseUnknown, wholeNumber } from '../../support/options.js'
import type { RowEvent } from '../backup/progress.js'
import type { LifecycleParts } from '../create/create.js'
import { restoreDiffers } from '../restore/archive-error.js'
import { describeStructure, structureDifferences } from '../rows/compare-structure.js'
import { tenantNotFound } from '../not-found.js'
import { type Arrival, findArrival, removeArrival } from './arrival.js'
import { type CaughtUp, catchUp } from './catch-up.js'
import { copyOver } from './copy-over.js'
import type { MoveOptions, MoveReport } from './move-options.js'
import { parkTenant, unparkTenant } from './park.js'
import { requireOtherDatabase } from './same-database.js'
import { type MoveSource, findMoveSource } from './source.js'

/** A move on its way; what is done on its databases ends with its signal. */
export interface Move {
  readonly from: LifecycleParts
  readonly to: LifecycleParts
  readonly slug: Slug
  readonly lockTimeoutMs: number
  readonly onEvent: ((event: RowEvent) => void) | undefined
  readonly signal: AbortSignal | undefined
}

const OPTIONS: readonly (keyof MoveOptions<unknown>)[] = ['to', 'lockTimeout', 'onEvent', 'signal']

/** Both ends of a move, as the routers have them. */
export interface MoveEnds {
  readonly from: LifecycleParts
  readonly to: LifecycleParts
}

/**
 * Moves a tenant to another database. See `Tenants.move`.
 *
 * At no moment do both serve it: the source is stopped by a commit before the copy is served by
 * another one. What a killed process leaves is noted on both schemas, and the next call goes on there.
 */
export async function moveTenant(
  ends: MoveEnds,
  tenant: string,
  options: MoveOptions<unknown>,
): Promise<MoveReport> {
  const move = await beginMove(ends, tenant, options)
  const { slug, signal } = move
  try {
    const found = await findMoveSource(move.from, slug)
    const early = await earlierArrival(move, found)
    if (early?.isServed === true) return await served(ends, early, NOTHING)
    const arrival = early ?? (await copyOver(move, found))
    return await finish(ends, move, { found, arrival })
  } catch (error) {
    // Whoever stopped it has to know when nobody serves the tenant.
    if (!isTenantryError(error, 'MOVE_UNFINISHED')) signal?.throwIfAborted()
    throw error
  }
}

async function beginMove(
  { from, to }: MoveEnds,
  tenant: string,
  options: MoveOptions<unknown>,
): Promise<Move> {
  refuseUnknown('', options, OPTIONS)
  const { lockTimeout = DEFAULT_LOCK_TIMEOUT_MS, onEvent, signal } = options
  const lockTimeoutMs = wholeNumber('lockTimeout', lockTimeout, 1)
  const slug = parseSlug(tenant)
  await requireOtherDatabase(from.db, to.db)
  await to.registry.install(to.db)
  return {
    from: { ...from, db: cancellable(from.db, signal) },
    to: { ...to, db: cancellable(to.db, signal) },
    slug,
    lockTimeoutMs,
    onEvent,
    signal,
  }
}

/** A copy that is not like the source any more, because one of them was migrated, is of no use. */
async function earlierArrival(move: Move, source: MoveSource): Promise<Arrival | undefined> {
  const { from, to } = move
  const arrival = await findArrival(to, source)
  if (arrival === undefined || arrival.isServed) return arrival
  const isLike = await from.db
    .transaction((reader) => compare(move, reader, source, arrival))
    .then(
      () => true,
      (error: unknown) => {
        if (isTenantryError(error, 'RESTORE_DIFFERS')) return false
        throw error
      },
    )
  if (isLike) return arrival
  await removeArrival(to, arrival)
  return undefined
}

/** @throws `RESTORE_DIFFERS` */
function compare(
  { to, slug }: Move,
  reader: PoolClient,
  source: MoveSource,
  arrival: Arrival,
): Promise<void> {
  return to.db.transaction(async (writer) => {
    const differences = structureDifferences(
      await describeStructure(reader, source.schema),
      await describeStructure(writer, arrival.schema),
    )
    if (differences.length === 0) return
    throw restoreDiffers(
      { tenant: slug, schema: arrival.schema },
      'its structure was changed while it was copied',
      differences,
    )
  })
}

const NOTHING = { recopied: [], tables: 0, rows: 0, stoppedMs: 0 }

/** The short part: the tenant is stopped, the copy is brought up to date and served. */
async function finish(
  ends: MoveEnds,
  move: Move,
  { found, arrival }: { readonly found: MoveSource; readonly arrival: Arrival },
): Promise<MoveReport> {
  const began = performance.now()
  try {
    if (found.parked === undefined) {
      await parkTenant(move.from, found, {
        ...move,
        there: arrival.tenant.id,
        compare: (reader) => compare(move, reader, found, arrival),
      })
    }
    const caughtUp = await catchUp(move, await findMoveSource(move.from, move.slug), arrival)
    return await served(ends, arrival, { ...caughtUp, stoppedMs: performance.now() - began })
  } catch (error) {
    const outcome = await undo(ends, move.slug, error)
    if (outcome !== 'served') throw error
    return served(ends, arrival, { ...NOTHING, stoppedMs: performance.now() - began })
  }
}

async function served(
  { from, to }: MoveEnds,
  { tenant: { slug: name } }: Arrival,
  figures: CaughtUp & Pick<MoveReport, 'stoppedMs'>,
): Promise<MoveReport> {
  const slug = parseSlug(name)
  const find = async ({ registry, db, lookUps }: LifecycleParts): Promise<Tenant> => {
    lookUps.forgetTenant(slug)
    return (await registry.findBySlug(db, slug)) ?? tenantNotFound(slug)
  }
  const [source, tenant] = await Promise.all([find(from), find(to)])
  return { tenant, source, ...figures }
}

/**
 * Serves the tenant again from where it was, and removes the copy; unless the copy is served, because
 * only the answer to its commit was lost.
 *
 * @throws `MOVE_UNFINISHED` where that cannot be found out or done
 */
async function undo(
  { from, to }: MoveEnds,
  slug: Slug,
  cause: unknown,
): Promise<'served' | 'undone'> {
  try {
    const source = await findMoveSource(from, slug)
    const arrival = await findArrival(to, source)
    if (arrival?.isServed === true) return 'served'
    if (arrival !== undefined) await removeArrival(to, arrival)
    if (source.parked !== undefined) await unparkTenant(from, slug)
    from.lookUps.forgetTenant(slug)
    return 'undone'
  } catch (error) {
    throw new TenantryError(
      'MOVE_UNFINISHED',
      `The move of tenant "${slug}" failed, and so did taking it back. No database serves it now. Call ` +
        'tenants.move() again, which goes on where it ended, or tenants.takeBack().',
      { tenant: slug, cause: new AggregateError([cause, error]) },
    )
  }
}
