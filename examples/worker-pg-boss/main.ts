// Run it with `npx tsx examples/worker-pg-boss/main.ts`.
import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import PgBoss from 'pg-boss'
import { SchemaRouter } from 'tenantry'
import { jobs } from 'tenantry/jobs'
import { startEmbeddedPostgres } from 'tenantry/testing'

interface Reminder {
  readonly loan: string
}

const LOANS = {
  acme: [
    ['Ada', '2001-01-01'],
    ['Alan', '2999-12-31'],
  ],
  globex: [['Grace', '2001-01-01']],
} as const
const QUEUE = 'reminders'

await using postgres = await startEmbeddedPostgres()
const migrations = fileURLToPath(new URL('migrations', import.meta.url))
await using router = new SchemaRouter({
  connectionString: postgres.url,
  schemas: { tenants: { migrations } },
})
const job = jobs(router)
// The queue is nobody's: it has a schema of its own, and connections of its own.
const boss = new PgBoss(postgres.url)
await boss.start()
await boss.createQueue(QUEUE)

/** Where the work comes up: the ambient tenant goes with each job. */
async function remindAll(): Promise<readonly string[]> {
  const { rows } = await router.pool.query<Reminder>(
    'select id as loan from loans where due < current_date and not reminded order by id',
  )
  const sent = await Promise.all(rows.map((row) => boss.send(QUEUE, job.wrap(row))))
  return sent.filter((id) => id !== null)
}

/** Where it is done: the tenant of the job is the ambient one. */
async function remind({ loan }: Reminder): Promise<void> {
  await router.pool.query('update loans set reminded = true where id = $1', [loan])
}

for (const [slug, loans] of Object.entries(LOANS)) {
  await router.tenants.create({ slug })
  await router.runAs(slug, async () => {
    for (const loan of loans) {
      await router.pool.query('insert into loans (borrower, due) values ($1, $2)', [...loan])
    }
  })
}
const sent = [
  ...(await router.runAs('acme', remindAll)),
  ...(await router.runAs('globex', remindAll)),
]
console.log(`${sent.length} reminders are waiting.`)

const work = new EventEmitter()
let left = sent.length
const done = once(work, 'done')
await boss.work(
  QUEUE,
  job.unwrap(async (reminder: Reminder) => {
    await remind(reminder)
    left -= 1
    if (left === 0) work.emit('done')
  }),
)
await done

for (const slug of Object.keys(LOANS)) {
  const { rows } = await router.runAs(slug, () =>
    router.pool.query<{ borrower: string; reminded: boolean }>(
      'select borrower, reminded from loans order by id',
    ),
  )
  for (const { borrower, reminded } of rows) {
    console.log(`${slug}: ${borrower} ${reminded ? 'is reminded' : 'has time'}`)
  }
}
const stopped = once(boss, 'stopped')
await boss.stop()
await stopped
