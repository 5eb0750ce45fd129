import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { PoolClient } from 'pg'
import type { SchemasOptions } from 'tenantry'
import type { TestDatabase } from '../support/database.js'
import type { Fleet } from './fleet.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PROGRAM = fileURLToPath(new URL('../support/fixtures/tenant-act.mjs', import.meta.url))
/** The advisory lock at which work is held. */
export const GATE = 4711
/** What the connections of a child are called. */
export const NAME = 'tenantry_child'

/** What a process of its own does to tenants. */
interface Act {
  readonly connectionString: string
  readonly schemas: SchemasOptions
  readonly method: string
  readonly args: readonly unknown[]
  /** SQL that stands for the migrations of another tool. */
  readonly toolSql?: string
}

/** A process that does something to tenants. */
export type Child = ChildProcessByStdio<null, Readable, null>

/** Starts a process of its own on the fleet; `buildBinary` has to have built the package. */
export function startChild(
  { url }: TestDatabase,
  { schemas }: Fleet,
  act: Pick<Act, 'method' | 'args' | 'toolSql'>,
): Child {
  const connectionString = `${url}${url.includes('?') ? '&' : '?'}application_name=${NAME}`
  const whole: Act = { connectionString, schemas, ...act }
  return spawn(process.execPath, [PROGRAM, JSON.stringify(whole)], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** What a child says of its work when it has ended. */
export async function wordOf(child: Child): Promise<string> {
  return (await text(child.stdout)).trim()
}

/** Where work is held: before the row is written, or when all is done but the commit. */
export type HoldPoint = 'row' | 'commit'

const TRIGGERS: Readonly<Record<HoldPoint, string>> = {
  row: 'create trigger hold before insert or update or delete on TENANTS for each row',
  commit: `create constraint trigger hold after insert or update or delete on TENANTS
    deferrable initially deferred for each row`,
}

/** Holds whoever writes the row of a tenant, or commits it, while the gate is shut. */
export async function holdAt(
  { admin }: TestDatabase,
  { shared }: Fleet,
  { point, slug }: { readonly point: HoldPoint; readonly slug?: string | undefined },
): Promise<void> {
  await admin.query(`
    create function ${shared}.hold() returns trigger language plpgsql as $$ begin
      if tg_nargs = 0 or tg_argv[0] = coalesce(new.slug, old.slug) then
        perform pg_advisory_xact_lock_shared(${GATE});
      end if;
      return coalesce(new, old);
    end $$;
    ${TRIGGERS[point].replace('TENANTS', `${shared}.tenantry_tenants`)}
      execute function ${shared}.hold(${slug === undefined ? '' : `'${slug}'`});`)
}

/** Whoever comes to the gate waits until it is opened. */
export interface Gate {
  /** Resolves with the backends that wait, as soon as there are so many. */
  reached(count?: number): Promise<readonly number[]>
  /** Opens it for good. */
  open(): Promise<void>
}

/** Shuts the gate, or locks something else by a statement. */
export async function shutGate(
  { admin }: TestDatabase,
  statement = `select pg_advisory_xact_lock(${GATE})`,
): Promise<Gate> {
  const keeper: PoolClient = await admin.connect()
  await keeper.query(`begin; ${statement}`)
  const { rows } = await keeper.query<{ pid: number }>('select pg_backend_pid() as pid')
  return {
    async reached(count = 1) {
      for (;;) {
        // Not by the keeper: a transaction sees the same activity all the time.
        const waiting = await admin.query<{ pid: number }>(
          `select pid from pg_stat_activity
           where datname = current_database() and $1 = any (pg_blocking_pids(pid))`,
          [rows[0]?.pid],
        )
        if (waiting.rows.length >= count) return waiting.rows.map(({ pid }) => pid)
      }
    },
    async open() {
      await keeper.query('rollback')
      keeper.release()
    },
  }
}

/** Kills a child that waits at the gate, and resolves when the server has noticed. */
export async function killAt(gate: Gate, child: Child, { admin }: TestDatabase): Promise<void> {
  await gate.reached()
  const ended = once(child, 'close')
  child.kill('SIGKILL')
  await ended
  await gate.open()
  // A backend that waits for a lock sees only afterwards that its client is gone.
  for (;;) {
    const { rows } = await admin.query(
      `select from pg_stat_activity where application_name = $1 and datname = current_database()`,
      [NAME],
    )
    if (rows.length === 0) return
  }
}

/** Everything of a fleet that an act changes, without what differs from fleet to fleet. */
export async function stateOf(
  { admin }: TestDatabase,
  { shared, prefix }: Fleet,
): Promise<unknown> {
  const { rows } = await admin.query<Record<string, unknown>>(
    `select
       (select json_agg(json_build_array(slug, schema, status) order by slug)
        from ${shared}.tenantry_tenants) as tenants,
       (select json_agg(host order by host) from ${shared}.tenantry_domains) as domains,
       (select json_agg(json_build_array(n.nspname,
          split_part(obj_description(n.oid, 'pg_namespace'), ' ', 2),
          (select json_agg(c.relname order by c.relname) from pg_class c
           where c.relnamespace = n.oid and c.relkind in ('r', 'S'))) order by n.nspname)
        from pg_namespace n where starts_with(n.nspname, '${prefix}')) as schemas`,
  )
  return JSON.parse(JSON.stringify(rows[0]).replaceAll(prefix, ''))
}
