import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary, settled, startBinary } from './binary.js'
import { openFleet, type Project } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

const SLUGS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const MORE = 'create table fees (); insert into loans values (1); alter table loans add more int;'

/** Which migrations each tenant has had, and how many loans it has. */
async function states({ prefix }: Project): Promise<readonly string[]> {
  const selects = SLUGS.map(
    (slug) =>
      `select string_agg(id::text, ',' order by id) || ' loans ' ||
              (select count(*) from ${prefix}${slug}.loans) as state
       from ${prefix}${slug}.migrations`,
  )
  const { rows } = await database.admin.query<{ state: string }>(selects.join(' union all '))
  return rows.map(({ state }) => state)
}

const NEW = '0,1,2 loans 1'
const OLD = '0,1 loans 0'

describe('tenantry migrate in several processes', () => {
  it('migrates each schema exactly once, and fails in neither', async () => {
    const project = await openFleet(database, SLUGS)
    await project.write('migrations/tenant/2_more.sql', MORE)
    const calls = await Promise.all([1, 2].map(() => project.tenantry('migrate', '-ds', '--json')))
    expect(calls.map(({ code }) => code)).toEqual([0, 0])
    const done = calls.flatMap(({ stdout }) => {
      const report = JSON.parse(stdout) as { outcomes: { schema: string; status: string }[] }
      return report.outcomes.filter(({ status }) => status === 'done').map(({ schema }) => schema)
    })
    expect(done.toSorted()).toEqual(SLUGS.map((slug) => project.prefix + slug))
    expect(await states(project)).toEqual(SLUGS.map(() => NEW))
  })

  it('leaves each schema old or new when it is killed, and the next run finishes', async () => {
    const project = await openFleet(database, SLUGS)
    await project.write('migrations/tenant/2_more.sql', MORE)
    const gate = await database.admin.connect()
    await gate.query(`begin; lock table ${project.prefix}d.loans in access exclusive mode`)
    const call = startBinary(['migrate', '-ds'], {
      cwd: project.folder,
      env: { DATABASE_URL: database.url },
    })
    await waitingFor(`${project.prefix}d`)
    call.kill('SIGKILL')
    await settled(call)
    const { rows } = await gate.query(`select id from ${project.prefix}d.migrations order by id`)
    expect(rows).toEqual([{ id: 0 }, { id: 1 }])
    await gate.query('rollback')
    gate.release()

    // The server may well finish a text whose sender is gone.
    const between = await states(project)
    expect(between.filter((state) => state !== OLD && state !== NEW)).toEqual([])

    const next = await project.tenantry('migrate', '-ds')
    expect(next).toMatchObject({ code: 0 })
    expect(await states(project)).toEqual(SLUGS.map(() => NEW))
  })
})

/** Resolves as soon as a backend that works on the schema waits for a lock on a table. */
async function waitingFor(schema: string): Promise<void> {
  for (;;) {
    const { rows } = await database.admin.query(
      `select from pg_locks l join pg_stat_activity a using (pid)
       where a.datname = current_database() and not l.granted and l.locktype = 'relation'
         and position($1 in a.query) > 0`,
      [schema],
    )
    if (rows.length > 0) return
  }
}
