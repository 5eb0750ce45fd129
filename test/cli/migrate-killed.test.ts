import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary, settled, startBinary } from './binary.js'
import { openFleet, type Project } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

const SLUGS = ['a', 'b', 'c']

/** Where a run is when it is killed: it waits for a lock on a table that somebody else has. */
interface Moment {
  readonly table: (project: Project) => string
  /** The file that is new, and what it makes. */
  readonly file: string
  readonly sql: string
  readonly column: string
}

const MOMENTS: Readonly<Record<string, Moment>> = {
  'in the shared schema': {
    table: ({ shared }) => `${shared}.rates`,
    file: 'migrations/public/2_more.sql',
    sql: 'create table extra (); alter table rates add more int;',
    column: 'more',
  },
  'in the last tenant': {
    table: ({ prefix }) => `${prefix}c.loans`,
    file: 'migrations/tenant/2_more.sql',
    sql: 'create table extra (); alter table loans add more int;',
    column: 'more',
  },
  'in a unit of several round trips': {
    table: ({ prefix }) => `${prefix}b.loans`,
    file: 'migrations/tenant/2_more.sql',
    sql: `create table extra (); set local work_mem = '1MB';
      create function f() returns int language sql as 'select 1'; alter table loans add more int;`,
    column: 'more',
  },
  'outside of a transaction': {
    table: ({ prefix }) => `${prefix}b.loans`,
    file: 'migrations/tenant/2_more.sql',
    sql: `-- postgres-migrations disable-transaction
      create table if not exists extra ();
      alter table loans add column if not exists more int;
      create index concurrently if not exists by_more on loans (more);`,
    column: 'more',
  },
}

/** Of each schema of the fleet: the ledger's ids, whether the table and the column are there. */
async function statesOf(project: Project, { column }: Moment): Promise<readonly string[]> {
  const homes = [
    { schema: project.shared, table: 'rates' },
    ...SLUGS.map((slug) => ({ schema: project.prefix + slug, table: 'loans' })),
  ]
  const selects = homes.map(
    ({ schema, table }) =>
      `select (select string_agg(id::text, ',' order by id) from ${schema}.migrations) ||
         case when to_regclass('${schema}.extra') is null then '' else ' extra' end ||
         case when exists (select from pg_attribute where attrelid = '${schema}.${table}'::regclass
           and attname = '${column}') then ' column' else '' end as state`,
  )
  const { rows } = await database.admin.query<{ state: string }>(selects.join(' union all '))
  return rows.map(({ state }) => state)
}

const OLD = '0,1'
const NEW = '0,1,2 extra column'

describe('tenantry migrate that is killed', () => {
  it.each(Object.entries(MOMENTS))(
    '%s leaves each schema old or new, and the next run finishes',
    async (name, moment) => {
      const project = await openFleet(database, SLUGS)
      await project.write(moment.file, moment.sql)
      const gate = await database.admin.connect()
      await gate.query(`begin; lock table ${moment.table(project)} in access exclusive mode`)
      const { rows } = await gate.query<{ pid: number }>('select pg_backend_pid() as pid')
      const call = startBinary(['migrate'], {
        cwd: project.folder,
        env: { DATABASE_URL: database.url },
      })
      const stuck = await blockedBy(rows[0]?.pid ?? 0)
      call.kill('SIGKILL')
      await settled(call)
      await gate.query('rollback')
      gate.release()
      await gone(stuck)

      const isAtomic = name !== 'outside of a transaction'
      const between = await statesOf(project, moment)
      // Without a transaction, what was done stays; the ledger says old until all of it is done.
      const known = isAtomic ? [OLD, NEW] : [OLD, '0,1 extra', '0,1 extra column', NEW]
      expect(between.filter((state) => !known.includes(state))).toEqual([])

      expect(await project.tenantry('migrate')).toMatchObject({ code: 0 })
      const isShared = moment.file.includes('public')
      const tenant = isShared ? OLD : NEW
      expect(await statesOf(project, moment)).toEqual([
        isShared ? NEW : OLD,
        ...SLUGS.map(() => tenant),
      ])
      const invalid = await database.admin.query('select from pg_index where not indisvalid')
      expect(invalid.rows).toEqual([])
    },
  )
})

/** Resolves to the backend that waits for the one given, as soon as one does. */
async function blockedBy(pid: number): Promise<number> {
  for (;;) {
    const { rows } = await database.admin.query<{ pid: number }>(
      'select pid from pg_stat_activity where $1 = any (pg_blocking_pids(pid))',
      [pid],
    )
    const [waiting] = rows
    if (waiting !== undefined) return waiting.pid
  }
}

/** The server may well finish a text whose sender is gone. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    const { rows } = await database.admin.query('select from pg_stat_activity where pid = $1', [
      pid,
    ])
    if (rows.length === 0) return
  }
}
