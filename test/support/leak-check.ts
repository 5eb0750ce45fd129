import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientBase, Pool } from 'pg'
import { backendOf, type TrackedPool } from './tracked-pool.js'

const PATIENCE_MS = 500
const INTERVAL_MS = 15

/** What to look at for leaks. */
export interface LeakCheck {
  /** Pools whose clients have to be back. */
  readonly pools: Iterable<TrackedPool>
  /** Database whose backends have to be at rest. */
  readonly database: string
  /** A connection to another database of the same server. */
  readonly monitor: ClientBase
  /** Backends that were reported before. */
  readonly known?: ReadonlySet<number>
  /** @defaultValue `500`: a backend needs some milliseconds to end after its client is destroyed */
  readonly patienceMs?: number
}

/** Something that a test left behind. */
export interface Leak {
  /** Process id of the backend, if there is one. */
  readonly pid?: number
  readonly sentence: string
}

/** Finds clients that were not returned, open transactions and locks that are still held. */
export async function findLeaks(check: LeakCheck): Promise<readonly Leak[]> {
  const deadline = AbortSignal.timeout(check.patienceMs ?? PATIENCE_MS)
  const pools = [...check.pools]
  await Promise.all(pools.map(({ pool }) => untilWhole(pool, deadline)))
  for (;;) {
    const leaks = await findLeaksNow(check, pools)
    if (leaks.length === 0 || deadline.aborted) return leaks
    await sleep(INTERVAL_MS)
  }
}

/** The error that a test with leaks fails with: it names each of them. */
export function leakError(leaks: readonly Leak[]): Error {
  const sentences = leaks.map(({ sentence }) => `- ${sentence}`)
  return new Error(['The test left something behind:', ...sentences].join('\n'))
}

async function untilWhole(pool: Pool, deadline: AbortSignal): Promise<void> {
  while (!isWhole(pool) && !deadline.aborted) {
    await once(pool, 'release', { signal: deadline }).catch(() => {})
  }
}

function isWhole(pool: Pool): boolean {
  return pool.totalCount === pool.idleCount && pool.waitingCount === 0
}

async function findLeaksNow(
  check: LeakCheck,
  pools: readonly TrackedPool[],
): Promise<readonly Leak[]> {
  const backends = await readBackends(check)
  const known = check.known ?? new Set<number>()
  const lent = pools.flatMap((tracked) => poolLeaks(tracked, backends))
  const lentPids = new Set(lent.map(({ pid }) => pid))
  const restless = [...backends.values()]
    .filter(({ pid, open, locks }) => !lentPids.has(pid) && (open || locks.length > 0))
    .map((backend) => ({ pid: backend.pid, sentence: describe(backend) }))
  return [...lent, ...restless].filter(({ pid }) => pid === undefined || !known.has(pid))
}

function poolLeaks(tracked: TrackedPool, backends: ReadonlyMap<number, Backend>): readonly Leak[] {
  const { pool, lent } = tracked
  if (isWhole(pool)) return []
  const leaks = [...lent].map((client): Leak => {
    const pid = backendOf(client)
    const backend = pid === undefined ? undefined : backends.get(pid)
    const what = backend === undefined ? 'its backend has ended' : describe(backend)
    const sentence = `a client was not returned to its pool: ${what}`
    return pid === undefined ? { sentence } : { pid, sentence }
  })
  const connecting = pool.totalCount - pool.idleCount - lent.size
  const waiting = pool.waitingCount
  return [
    ...leaks,
    ...(connecting > 0 ? [{ sentence: `a pool still connects ${connecting} clients` }] : []),
    ...(waiting > 0 ? [{ sentence: `${waiting} callers still wait for a client of a pool` }] : []),
  ]
}

interface Backend {
  readonly pid: number
  readonly state: string
  readonly open: boolean
  readonly query: string
  readonly locks: readonly string[]
}

async function readBackends(check: LeakCheck): Promise<ReadonlyMap<number, Backend>> {
  const { rows } = await check.monitor.query<Backend>(
    `select a.pid, coalesce(a.state, 'unknown') as state, a.xact_start is not null as open,
            left(a.query, 200) as query,
            coalesce(array_agg(distinct l.locktype || ' ' || l.mode)
                       filter (where l.locktype in ('relation', 'advisory')), '{}') as locks
       from pg_stat_activity a
       left join pg_locks l on l.pid = a.pid and l.database = a.datid
      where a.datname = $1 and a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
      group by a.pid, a.state, a.xact_start, a.query`,
    [check.database],
  )
  return new Map(rows.map((backend) => [backend.pid, backend]))
}

function describe({ pid, state, open, query, locks }: Backend): string {
  const transaction = open ? ', in a transaction' : ''
  const held = locks.length > 0 ? `, holds ${locks.join(', ')}` : ''
  return `backend ${pid} is ${state}${transaction}${held}; last query: ${query}`
}
