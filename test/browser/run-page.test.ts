import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary } from '../cli/binary.js'
import { openFleet } from '../cli/project.js'
import { HAS_BROWSER, launchBrowser } from './chromium.js'

const database = useDatabase()

beforeAll(buildBinary)

describe('tenantry migrate --html', () => {
  it('refuses a file that cannot be written before anything is migrated', async () => {
    const project = await openFleet(database, ['a'])
    await project.write('migrations/tenant/2_notes.sql', 'create table notes (note text);')
    const file = 'no/such/folder/run.html'
    const { code, stdout, stderr } = await project.tenantry('migrate', '--html', file)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^OPTIONS_INVALID: --html cannot be written: there is no folder /)
    expect((await project.tenantry('plan')).code).toBe(3)
    expect((await project.tenantry('status', '--html', file)).code).toBe(2)
  })

  it('is about the schemas of the run, also of one that was about those behind', async () => {
    const project = await openFleet(database, ['a', 'b'])
    const { prefix } = project
    await project.write('migrations/tenant/2_notes.sql', 'create table notes (note text);')
    await project.tenantry('migrate', '-s', 'a')
    const { code } = await project.tenantry('migrate', '--behind', '--html', 'run.html')
    expect(code).toBe(0)
    const page = await readFile(join(project.folder, 'run.html'), 'utf8')
    expect(page).toContain(`"${prefix}b"`)
    expect(page).not.toContain(`"${prefix}a"`)
  })
})

describe.skipIf(!HAS_BROWSER)('a page in a browser', () => {
  let browser: Browser | undefined

  beforeAll(async () => {
    browser = await launchBrowser()
  }, 60_000)
  afterAll(() => browser?.close())

  async function open(file: string): Promise<Page> {
    if (browser === undefined) throw new Error('There is no browser.')
    const page = await browser.newPage()
    onTestFinished(() => page.close())
    await page.goto(pathToFileURL(file).href)
    return page
  }

  /** What the page says of one schema when somebody looks closer. */
  async function detailsOf(page: Page, schema: string): Promise<string> {
    await page.locator('.row[tabindex]', { hasText: schema }).click()
    const text = await page.getByRole('dialog', { name: schema }).innerText()
    await page.getByRole('button', { name: 'Close' }).click()
    return text
  }

  it('shows what failed in a run, with its error, and what was done', async () => {
    const project = await openFleet(database, ['a', 'b', 'c'])
    const { prefix } = project
    await database.admin.query(`create table ${prefix}b.notes ()`)
    await project.write('migrations/tenant/2_notes.sql', 'create table notes (note text);')
    const run = await project.tenantry('migrate', '-ds', '--html', 'run.html')
    expect(run.code).toBe(1)
    const page = await open(join(project.folder, 'run.html'))
    expect(await page.locator('#made').innerText()).toMatch(
      /^Run of 3 schemas: 2 migrated, 1 failed in .+; as of /,
    )
    expect(await page.locator('.row[tabindex] .name').first().innerText()).toBe(`${prefix}b`)
    const failed = await detailsOf(page, `${prefix}b`)
    expect(failed).toMatch(/MIGRATION_FAILED: .*2_notes\.sql.*"notes" already exists/)
    expect(failed).toMatch(/In the run\s+failed, in \d/)
    expect(await detailsOf(page, `${prefix}a`)).toMatch(
      /In the run\s+migrated, 2_notes\.sql, in \d/,
    )
    await page.getByLabel('Search').fill('already exists')
    expect(await page.locator('.row[tabindex]').count()).toBe(1)
  })

  it('says why a run has skipped a schema', async () => {
    const project = await openFleet(database, ['a', 'b'])
    const { prefix } = project
    await database.admin.query(`create table ${prefix}a.notes ()`)
    await project.write('migrations/tenant/2_notes.sql', 'create table notes (note text);')
    const run = await project.tenantry('migrate', '-ds', '--canary', '1', '--html', 'run.html')
    expect(run.code).toBe(1)
    const page = await open(join(project.folder, 'run.html'))
    expect(await detailsOf(page, `${prefix}b`)).toMatch(/In the run\s+skipped: \w/)
  })

  it('shows what differs with status --html --verify', async () => {
    const project = await openFleet(database, ['a', 'b'])
    const { prefix } = project
    await database.admin.query(`alter table ${prefix}b.loans add note text`)
    const { code } = await project.tenantry('status', '-ds', '--verify', '--html', 'status.html')
    expect(code).toBe(3)
    const page = await open(join(project.folder, 'status.html'))
    expect(await page.locator('#tally').innerText()).toMatch(/2 all\s+1 broken\s+.*\s+1 current/)
    expect(await detailsOf(page, `${prefix}b`)).toMatch(
      /differs from its migrations[^]+\+ column loans\.note text/,
    )
    expect(await detailsOf(page, `${prefix}a`)).not.toContain('Differs')
  })
})
