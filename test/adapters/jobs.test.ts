import { EventEmitter, once } from 'node:events'
import { Logger, type TaskList, makeWorkerUtils, runOnce } from 'graphile-worker'
import PgBoss from 'pg-boss'
import { SchemaRouter } from 'tenantry'
import { jobs } from 'tenantry/jobs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

interface Bill {
  readonly loan: number
}

/** What a handler saw: whose job it thought it was, and in whose schema its statement ran. */
interface Seen {
  readonly tenant: string
  readonly schema: string
  readonly data: unknown
}

const database = useDatabase()
const migrations = useMigrationFolders()

let prefix: string
let router: SchemaRouter

beforeEach(async () => {
  prefix = database.prefix()
  const tenants = { '1_bills.sql': 'create table bills (loan int)' }
  const schemas = await migrations.fleet(prefix, { tenants })
  router = new SchemaRouter({ pool: database.pool(), schemas })
  for (const slug of ['acme', 'zenith']) await router.tenants.create({ slug })
})

/** What a job finds out about itself. */
async function look(data: unknown): Promise<Seen> {
  const { rows } = await router.pool.query<{ schema: string }>('select current_schema() schema')
  return { tenant: router.current().slug, schema: rows[0]?.schema ?? '', data }
}

/** A job as BullMQ hands it to a processor. */
const bullJob = (data: unknown): object => ({ id: '1', name: 'bill', data: roundTrip(data) })
const roundTrip = (data: unknown): unknown => JSON.parse(JSON.stringify(data))

describe('unwrap', () => {
  it('needs a function', () => {
    const word: unknown = 'bill'
    expect(() => jobs(router).unwrap(word as () => void)).toThrow('unwrap needs a function.')
  })
})

describe('wrap and unwrap with pg-boss', () => {
  let boss: PgBoss

  beforeAll(async () => {
    boss = new PgBoss({ connectionString: database.url, schedule: false, supervise: false })
    await boss.start()
  })
  afterAll(async () => {
    const stopped = once(boss, 'stopped')
    await boss.stop({ graceful: false })
    await stopped
  })

  async function newQueue(): Promise<string> {
    const queue = `${prefix}bill`
    await boss.createQueue(queue)
    return queue
  }

  it('runs each job as the tenant that has enqueued it', async () => {
    const queue = await newQueue()
    const job = jobs(router)
    for (const [loan, slug] of ['acme', 'zenith', 'acme'].entries()) {
      await router.runAs(slug, () => boss.send(queue, job.wrap({ loan })))
    }
    const seen: Seen[] = []
    const done = new EventEmitter()
    await boss.work(
      queue,
      { batchSize: 3 },
      job.unwrap(async (data: Bill, { name }: PgBoss.Job) => {
        if (seen.push(await look({ ...data, name })) === 3) done.emit('done')
      }),
    )
    await once(done, 'done')
    const of = (loan: number, tenant: string): Seen => ({
      tenant,
      schema: `${prefix}${tenant}`,
      data: { loan, name: queue },
    })
    expect(seen.toSorted(byLoan)).toEqual([of(0, 'acme'), of(1, 'zenith'), of(2, 'acme')])
    await boss.offWork(queue)
  })

  it('keeps what the handler answers as the output of the job', async () => {
    const queue = await newQueue()
    const job = jobs(router)
    const id = await router.withTenant('acme', () => boss.send(queue, job.wrap({ loan: 7 })))
    const [fetched] = await boss.fetch(queue)
    const result = await job.unwrap(({ loan }: Bill) => ({ billed: loan }))([fetched])
    expect([fetched?.id, result]).toEqual([id, { billed: 7 }])
  })

  it('enqueues in the transaction of the tenant, and not at all when it is rolled back', async () => {
    const queue = await newQueue()
    const job = jobs(router)
    const bill = (loan: number, failure?: Error): Promise<void> =>
      router.withTenant(
        'acme',
        async (db) => {
          await db.query('insert into bills values ($1)', [loan])
          const executeSql: PgBoss.Db['executeSql'] = (text, values) => db.query(text, values)
          await boss.send(queue, job.wrap({ loan }), { db: { executeSql } })
          if (failure !== undefined) throw failure
        },
        { transaction: true },
      )
    await bill(1)
    await expect(bill(2, new Error('No bill today.'))).rejects.toThrow('No bill today.')
    const found = await boss.fetch<{ data: Bill }>(queue, { batchSize: 5 })
    expect(found.map(({ data }) => data.data)).toEqual([{ loan: 1 }])
    const { rows } = await router.poolFor('acme').query('select loan from bills')
    expect(rows).toEqual([{ loan: 1 }])
  })
})

describe('wrap and unwrap with graphile-worker', () => {
  async function work(taskList: TaskList): Promise<void> {
    const logger = new Logger(() => () => {})
    await runOnce({ pgPool: database.admin, taskList, logger, noHandleSignals: true })
  }

  async function add(task: string, payload: unknown): Promise<void> {
    const utils = await makeWorkerUtils({ pgPool: database.admin })
    await utils.addJob(task, payload)
    await utils.release()
  }

  it('runs each job as the tenant that has enqueued it, with the helpers', async () => {
    const job = jobs(router)
    for (const slug of ['acme', 'zenith']) {
      await router.runAs(slug, () => add('bill', job.wrap({ by: slug })))
    }
    const seen: unknown[] = []
    await work({
      bill: job.unwrap((data: object, { job: { attempts } }: { job: { attempts: number } }) => {
        seen.push([router.current().slug, data, attempts])
      }),
    })
    expect(seen).toEqual([
      ['acme', { by: 'acme' }, 1],
      ['zenith', { by: 'zenith' }, 1],
    ])
  })

  it('tries only those of a batch again that have failed', async () => {
    const job = jobs(router)
    const wrapped = ['acme', 'zenith'].map((slug) => router.runAs(slug, () => job.wrap(slug)))
    await add('batch', await Promise.all(wrapped))
    await work({
      batch: job.unwrap((data: string) => {
        if (data === 'zenith') throw new Error('Not today.')
      }),
    })
    const { rows } = await database.admin.query<{ payload: unknown }>(
      'select payload from graphile_worker._private_jobs where last_error is not null',
    )
    const id = (await router.tenants.get('zenith')).id
    expect(rows).toEqual([{ payload: [{ tenantry: { id, slug: 'zenith' }, data: 'zenith' }] }])
  })
})

describe('unwrap', () => {
  it('hands a job of BullMQ its data, the job and the token', async () => {
    const job = jobs(router)
    const given = bullJob(await router.runAs('acme', () => job.wrap({ loan: 7 })))
    const process = job.unwrap((data: Bill, bull: object, token: string) => [
      router.current().slug,
      data,
      bull === given,
      token,
    ])
    expect(await process(given, 'token')).toEqual(['acme', { loan: 7 }, true, 'token'])
  })

  it('gives back whatever was wrapped: lists, texts, nothing', async () => {
    const job = jobs(router)
    const back = job.unwrap((data: unknown) => [data])
    for (const data of [[1, 2], 'text', 0, null, undefined, { data: { tenantry: 1 } }]) {
      const given = bullJob(await router.runAs('acme', () => job.wrap(data)))
      expect(await back(given)).toEqual([data])
    }
  })

  it('finds a tenant that was renamed, and not the new one with its former slug', async () => {
    const job = jobs(router)
    const given = bullJob(await router.runAs('acme', () => job.wrap({ loan: 7 })))
    await router.tenants.rename('acme', { slug: 'apex', schema: `${prefix}apex` })
    await router.tenants.create({ slug: 'acme' })
    await router.tenants.suspend('acme')
    const process = job.unwrap(look)
    const seen = { schema: `${prefix}apex`, data: { loan: 7 } }
    expect(await process(given)).toEqual({ ...seen, tenant: 'apex' })
    await router.tenants.rename('apex', { slug: 'summit' })
    expect(await process(given)).toEqual({ ...seen, tenant: 'summit' })
  })

  it('refuses the job of a suspended, a deleted and a purged tenant', async () => {
    const job = jobs(router)
    const given = bullJob(await router.runAs('acme', () => job.wrap({ loan: 7 })))
    const process = job.unwrap(() => 'done')
    await router.tenants.suspend('acme')
    await expect(process(given)).rejects.toMatchObject({ code: 'TENANT_SUSPENDED' })
    await router.tenants.delete('acme')
    await expect(process(given)).rejects.toMatchObject({ code: 'TENANT_SUSPENDED' })
    await router.tenants.purge('acme', { confirm: 'acme' })
    await router.tenants.create({ slug: 'acme' })
    await expect(process(given)).rejects.toMatchObject({ code: 'TENANT_NOT_FOUND', tenant: 'acme' })
  })

  it('does not call the handler when the slug becomes another tenant’s at the last moment', async () => {
    const other = await router.tenants.get('zenith')
    const tenant = await router.tenants.get('acme')
    const job = jobs({
      tenants: router.tenants,
      current: () => other,
      runAs: async (_slug, fn) => fn(),
    })
    const { id, slug } = tenant
    const given = { tenantry: { id, slug }, data: 1 }
    await expect(job.unwrap(() => 'done')(given)).rejects.toMatchObject({ code: 'TENANT_BUSY' })
  })

  it.each([
    ['a job', { id: '1', data: { loan: 7 } }],
    ['a payload', { loan: 7 }],
    ['nothing', undefined],
    ['a tenant without an id', { tenantry: { slug: 'acme' }, data: 1 }],
  ])('refuses what was not wrapped: %s', async (_name, given) => {
    const process = jobs(router).unwrap(() => 'done')
    await expect(process(given)).rejects.toMatchObject({ code: 'TENANT_NO_SCOPE' })
  })

  it('begins no job of a list in which one was not wrapped, and none after a failure', async () => {
    const job = jobs(router)
    const wrapped = await router.runAs('acme', () => [1, 2, 3].map((data) => job.wrap(data)))
    const begun: number[] = []
    const process = job.unwrap((data: number) => {
      begun.push(data)
      if (data === 2) throw new Error('Two is too much.')
    })
    const list = wrapped.map(bullJob)
    await expect(process([...list, bullJob(4)])).rejects.toMatchObject({ code: 'TENANT_NO_SCOPE' })
    expect(begun).toEqual([])
    await expect(process(list)).rejects.toThrow('Two is too much.')
    expect(begun).toEqual([1, 2])
  })
})

describe('wrap', () => {
  it('needs a tenant in scope', async () => {
    const job = jobs(router)
    expect(() => job.wrap({})).toThrow(expect.objectContaining({ code: 'TENANT_NO_SCOPE' }))
    const inShared = router.withSchema(`shared_${prefix}`, () => job.wrap({}))
    await expect(inShared).rejects.toMatchObject({ code: 'TENANT_NO_SCOPE' })
  })
})

function byLoan(one: Seen, other: Seen): number {
  return JSON.stringify(one.data).localeCompare(JSON.stringify(other.data))
}
