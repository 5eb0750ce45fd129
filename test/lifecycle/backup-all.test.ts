import { appendFile, mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type RunReport, SchemaRouter, select } from 'tenantry'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildBinary } from '../cli/binary.js'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'
import { contentsOf, useFolder } from './archive-fleet.js'
import { killAt, shutGate, startChild } from './crash.js'
import { type Fleet, openFleet } from './fleet.js'

const here = useDatabase()
const there = useDatabase()
const migrations = useMigrationFolders()
const folders = useFolder()

beforeAll(buildBinary)

const LOANS: MigrationFiles = {
  '1_loans.sql': 'create table loans (id int primary key generated always as identity, amount int)',
}

/** Tenants `t1`, `t2`, … of which each has its number as an amount. */
async function setUp(count: number): Promise<Fleet> {
  const fleet = await openFleet(here, migrations, { tenants: LOANS })
  const { router, prefix } = fleet
  await router.migrations.up()
  const numbers = Array.from({ length: count }, (_, index) => index + 1)
  await router.tenants.createMany(
    numbers.map((number) => ({
      slug: `t${number}`,
      domains: [`t${number}.${prefix.replace('_', '')}.example.com`],
    })),
  )
  const texts = numbers.map(
    (number) => `insert into ${prefix}t${number}.loans (amount) values (${number})`,
  )
  await here.admin.query(texts.join(';'))
  return fleet
}

const outcomesOf = ({ outcomes }: RunReport): Readonly<Record<string, string>> =>
  Object.fromEntries(outcomes.map(({ tenant = '', status }) => [tenant, status]))

/** The report of a run in which something failed. */
async function failedReport(run: Promise<RunReport>): Promise<RunReport> {
  const error: unknown = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toMatchObject({ code: 'RUN_FAILED' })
  return Reflect.get(Object(error), 'report')
}

describe('tenants.backupAll and tenants.restoreAll', () => {
  it('bring a fleet into another database', async () => {
    const { router, prefix, schemas } = await setUp(25)
    const folder = folders.file('fleet')
    const report = await router.tenants.backupAll(folder, { select: select.all(), concurrency: 3 })
    expect(report.outcomes).toHaveLength(25)
    expect(new Set(Object.values(outcomesOf(report)))).toEqual(new Set(['done']))
    expect(report.left).toEqual([`shared_${prefix}`, `main_${prefix}`])
    const names = await readdir(folder)
    expect(names).toHaveLength(26)

    const other = new SchemaRouter({ pool: there.pool(), schemas })
    await other.migrations.up()
    const restored = await other.tenants.restoreAll(folder)
    expect(new Set(Object.values(outcomesOf(restored)))).toEqual(new Set(['done']))
    expect((await other.tenants.list()).map(({ slug }) => slug)).toHaveLength(25)
    for (const slug of ['t1', 't25']) {
      const wanted = await contentsOf(here, `${prefix}${slug}`)
      expect(await contentsOf(there, `${prefix}${slug}`)).toEqual(wanted)
      const domains = await router.tenants.domains.list(slug)
      expect(await other.tenants.domains.list(slug)).toEqual(domains)
    }

    expect(outcomesOf(await failedReport(other.tenants.restoreAll(folder)))['t1']).toBe('failed')
    const again = await other.tenants.restoreAll(folder, { skipExisting: true })
    expect(new Set(Object.values(outcomesOf(again)))).toEqual(new Set(['current']))
  })

  it('do the others when one fails, and then only what is left', async () => {
    const { router, prefix } = await setUp(3)
    await here.admin.query(`create table ${prefix}t2.extra (id int)`)
    const folder = folders.file('fleet')
    const report = await failedReport(router.tenants.backupAll(folder))
    expect(outcomesOf(report)).toEqual({ t1: 'done', t2: 'failed', t3: 'done' })
    expect(report.outcomes[1]?.error).toMatchObject({ code: 'SCHEMA_DRIFT' })
    await here.admin.query(`drop table ${prefix}t2.extra`)
    const again = await router.tenants.backupAll(folder)
    expect(outcomesOf(again)).toEqual({ t1: 'current', t2: 'done', t3: 'current' })
  })

  it('notice an archive that is not what it was', async () => {
    const { router } = await setUp(3)
    const folder = folders.file('fleet')
    await router.tenants.backupAll(folder)
    for (const slug of ['t1', 't2', 't3']) {
      await router.tenants.delete(slug)
      await router.tenants.purge(slug, { confirm: slug })
    }
    await appendFile(join(folder, 't2.tenantry.gz'), 'more')
    const report = await failedReport(router.tenants.restoreAll(folder))
    expect(outcomesOf(report)).toEqual({ t1: 'done', t2: 'failed', t3: 'done' })
    expect(report.outcomes.find(({ tenant }) => tenant === 't2')?.error).toMatchObject({
      code: 'ARCHIVE_INVALID',
      tenant: 't2',
    })
    await writeFile(join(folder, 't1.tenantry.gz'), 'nothing')
    const again = await router.tenants.backupAll(folder)
    expect(outcomesOf(again)).toEqual({ t1: 'done', t3: 'current' })
  })

  it('go on after a process was killed', async () => {
    const fleet = await setUp(6)
    const { router, prefix } = fleet
    const folder = folders.file('fleet')
    const gate = await shutGate(here, `lock table ${prefix}t4.loans`)
    const args = [folder, { concurrency: 1 }]
    const child = startChild(here, fleet, { method: 'backupAll', args })
    await killAt(gate, child, here)
    // As if it had been in the middle of a line, and of a file.
    await appendFile(join(folder, 'manifest.jsonl'), '{"tenant":"t5","sch')
    await writeFile(join(folder, 't4.tenantry.gz.part-0123abcd'), 'half')
    const report = await router.tenants.backupAll(folder)
    expect(outcomesOf(report)).toEqual({
      t1: 'current',
      t2: 'current',
      t3: 'current',
      t4: 'done',
      t5: 'done',
      t6: 'done',
    })
    const names = await readdir(folder)
    expect(names.filter((name) => name.includes('part'))).toEqual([])
    const lines = (await readFile(join(folder, 'manifest.jsonl'), 'utf8')).trim().split('\n')
    const tenants = lines.slice(1).map((line) => String(JSON.parse(line).tenant))
    expect(tenants.toSorted((a, b) => a.localeCompare(b))).toEqual([
      't1',
      't2',
      't3',
      't4',
      't5',
      't6',
    ])
  })

  it('do not share a folder with another process', async () => {
    const fleet = await setUp(2)
    const { router, prefix, another } = fleet
    const folder = folders.file('fleet')
    const gate = await shutGate(here, `lock table ${prefix}t1.loans`)
    const first = router.tenants.backupAll(folder)
    await gate.reached()
    await expect(another().tenants.backupAll(folder)).rejects.toMatchObject({ code: 'BACKUP_BUSY' })
    await gate.open()
    expect(outcomesOf(await first)).toEqual({ t1: 'done', t2: 'done' })
  })

  it('stop by a signal, and go on afterwards', async () => {
    const { router } = await setUp(4)
    const folder = folders.file('fleet')
    const stop = new AbortController()
    const options = { concurrency: 1, signal: stop.signal, onOutcome: () => stop.abort() }
    const report = await router.tenants.backupAll(folder, options)
    expect(outcomesOf(report)).toEqual({ t1: 'done', t2: 'skipped', t3: 'skipped', t4: 'skipped' })
    const again = await router.tenants.backupAll(folder, { select: select.names('t1', 't2') })
    expect(outcomesOf(again)).toEqual({ t1: 'current', t2: 'done' })
  })

  it('refuse what is no option, no folder and no manifest', async () => {
    const { router } = await setUp(1)
    const folder = folders.file('fleet')
    // @ts-expect-error No such option.
    const misspelt = router.tenants.backupAll(folder, { parallel: 3 })
    await expect(misspelt).rejects.toMatchObject({ code: 'OPTIONS_INVALID' })
    await expect(router.tenants.backupAll('')).rejects.toMatchObject({ code: 'OPTIONS_INVALID' })
    const nothing = router.tenants.restoreAll(folder)
    await expect(nothing).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' })
    await mkdir(folder)
    await expect(router.tenants.restoreAll(folder)).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
    })
    const below = join(folder, 'file')
    await writeFile(below, '')
    await expect(router.tenants.restoreAll(join(below, 'x'))).rejects.toMatchObject({
      code: 'ENOTDIR',
    })
    await router.tenants.backupAll(folder)
    await writeFile(join(folder, 'manifest.jsonl'), '7\n')
    await expect(router.tenants.restoreAll(folder)).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
    })
    await writeFile(join(folder, 'manifest.jsonl'), '{"tenantry":"backups","format":99}\n')
    const later = router.tenants.restoreAll(folder)
    await expect(later).rejects.toMatchObject({ code: 'ARCHIVE_INVALID' })
    await expect(router.tenants.backupAll(folder)).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
    })
  })
})
