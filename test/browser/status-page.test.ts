import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { SchemaRouter, select } from 'tenantry'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary } from '../cli/binary.js'
import { type Project, openFleet, openProject } from '../cli/project.js'
import { HAS_BROWSER, launchBrowser } from './chromium.js'

const TENANTS = 1_000
const MIGRATIONS = 40
const LAST_BUT_ONE = `${MIGRATIONS - 1}_step${MIGRATIONS - 1}.sql`

const database = useDatabase()

beforeAll(buildBinary)

/** Writes the page of a project, and answers with where it is. */
async function writePage(project: Project, ...args: readonly string[]): Promise<string> {
  await project.tenantry('status', '--html', 'status.html', ...args)
  return pathToFileURL(join(project.folder, 'status.html')).href
}

describe('tenantry status --html', () => {
  it('writes one file that asks for nothing from elsewhere', async () => {
    const project = await openFleet(database, ['a'])
    const { code, stderr } = await project.tenantry('status', '--html', 'status.html')
    expect(code).toBe(0)
    const file = join(project.folder, 'status.html')
    expect(stderr).toBe(`Written: ${file}\n`)
    const text = await readFile(file, 'utf8')
    expect(text).toContain(`${project.prefix}a`)
    expect(text).not.toMatch(/https?:|src=|@import|url\(/)
  })

  it('keeps what a migration is called from being HTML', async () => {
    const project = await openFleet(database, ['a'])
    await project.write('migrations/tenant/2_<script>.sql', 'create table notes ();')
    await writePage(project)
    const text = await readFile(join(project.folder, 'status.html'), 'utf8')
    expect(text).toContain('2_\\u003cscript>.sql')
    expect(text.match(/<script/g)).toHaveLength(2)
  })
})

/** A thousand tenants with all but the last migration; of one the schema is gone, one was changed. */
async function openLargeFleet(): Promise<Project> {
  const project = await openProject(database, afterAll)
  const { shared, prefix } = project
  for (let at = 2; at <= MIGRATIONS; at += 1) {
    await project.write(`migrations/tenant/${at}_step${at}.sql`, 'select 1;')
  }
  const migrations = join(project.folder, 'migrations/tenant')
  const router = new SchemaRouter({
    pool: database.pool(),
    schemas: { shared: { name: shared }, tenants: { prefix, migrations } },
  })
  await router.migrations.up({ select: select.shared() })
  await database.admin.query(
    `do $$ begin
       for at in 1..${TENANTS} loop execute format('create schema %I', '${prefix}t' || at); end loop;
     end $$;
     insert into ${shared}.tenantry_tenants (slug, name, schema)
       select 't' || at, 't' || at, '${prefix}t' || at from generate_series(1, ${TENANTS}) as at`,
  )
  await router.migrations.markApplied({
    select: select.tenants(),
    to: LAST_BUT_ONE,
  })
  await router.migrations.up({ select: select.names('t1') })
  await database.admin.query(
    `drop schema ${prefix}t7 cascade;
     update ${prefix}t9.migrations set hash = 'another' where id = 1;
     comment on table ${prefix}t9.migrations is null`,
  )
  return project
}

/** What the page may not do: throw, warn, or ask for something. */
function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (request.url().startsWith('http')) complaints.push(request.url())
  })
  return complaints
}

/** The contrast between a part's text and the page, as WCAG counts it. */
async function contrastOf(page: Page, part: string): Promise<number> {
  const colorOf = (found: string, property: string): Promise<string> =>
    page.evaluate(`getComputedStyle(document.querySelector('${found}')).${property}`)
  const ground = await colorOf('body', 'backgroundColor')
  const text = await colorOf(part, 'color')
  const [darker = 0, lighter = 0] = [luminance(text), luminance(ground)].toSorted((a, b) => a - b)
  return (lighter + 0.05) / (darker + 0.05)
}

/** https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(color = ''): number {
  const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map((text) => {
    const share = Number(text) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

describe.skipIf(!HAS_BROWSER)('the status page in a browser', () => {
  let browser: Browser | undefined
  let url = ''
  let prefix = ''

  beforeAll(async () => {
    browser = await launchBrowser()
    const project = await openLargeFleet()
    prefix = project.prefix
    url = await writePage(project, '-ds')
  }, 180_000)
  afterAll(() => browser?.close())

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    if (browser === undefined) throw new Error('There is no browser.')
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options })
    onTestFinished(() => page.close())
    await page.goto(url)
    return page
  }

  const names = (page: Page): Promise<readonly string[]> =>
    page.locator('.row[tabindex] .name').allTextContents()

  it('draws a square for each migration of a thousand tenants, the worst first', async () => {
    const page = await open()
    const complaints = complaintsOf(page)
    await page.reload()
    expect(await names(page)).toHaveLength(TENANTS)
    expect((await names(page)).slice(0, 3)).toEqual(['t7', 't9', 't2'].map((slug) => prefix + slug))
    expect(await page.locator('.row[tabindex] i').count()).toBe(TENANTS * MIGRATIONS)
    expect(await page.locator('#tally').innerText()).toMatch(
      new RegExp(`${TENANTS} all\\s+2 broken\\s+${TENANTS - 3} pending\\s+1 current`),
    )
    expect(complaints).toEqual([])
    const took = await page.evaluate<number>(
      `performance.getEntriesByType('navigation')[0].duration`,
    )
    console.log(`The status page of ${TENANTS} tenants opened in ${took.toFixed(0)} ms`)
  })

  it('finds schemas by name, by migration and by error, and shows those of one state', async () => {
    const page = await open()
    await page.getByLabel('Search').fill('t77')
    const about77 = await names(page)
    expect(about77).toHaveLength(11)
    expect(about77).toContain(`${prefix}t770`)
    await page.getByLabel('Search').fill('changed after')
    expect(await names(page)).toEqual([`${prefix}t9`])
    await page.getByLabel('Search').fill(`${MIGRATIONS}_step`)
    expect(await names(page)).toHaveLength(TENANTS - 1)
    await page.getByLabel('Search').fill('nothing at all')
    await expect.poll(() => page.getByText('No schema is like that.').isVisible()).toBe(true)
    await page.getByLabel('Search').fill('')
    await page.getByRole('button', { name: '1 current' }).click()
    expect(await names(page)).toEqual([`${prefix}t1`])
  })

  it('sorts by name and by version', async () => {
    const page = await open()
    await page.getByLabel('Sort').selectOption('schema')
    expect((await names(page)).slice(0, 3)).toEqual(['t1', 't2', 't3'].map((slug) => prefix + slug))
    await page.getByLabel('Sort').selectOption('version')
    expect((await names(page)).at(0)).toBe(`${prefix}t7`)
    expect((await names(page)).at(-1)).toBe(`${prefix}t1`)
  })

  it('is used with the keyboard alone', async () => {
    const page = await open()
    const focused = (): Promise<string | null> => page.locator(':focus .name').textContent()
    await page.getByLabel('Sort').focus()
    await page.keyboard.press('Tab')
    expect(await focused()).toBe(`${prefix}t7`)
    await page.keyboard.press('ArrowDown')
    expect(await focused()).toBe(`${prefix}t9`)
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: `${prefix}t9` })
    expect(await dialog.innerText()).toMatch(/MIGRATION_TAMPERED[^]+Changed after they ran\s+1_/)
    await page.keyboard.press('Escape')
    expect(await dialog.isVisible()).toBe(false)
    expect(await focused()).toBe(`${prefix}t9`)
  })

  it('says what a square means when the pointer is on it', async () => {
    const page = await open()
    const square = page.locator('.row[tabindex]').nth(2).locator('i').last()
    await square.hover()
    expect(await square.getAttribute('title')).toBe(`${MIGRATIONS}_step${MIGRATIONS}.sql: pending`)
  })

  it.each([1280, 390])('is not wider than a window of %i pixels', async (width) => {
    const page = await open({ viewport: { width, height: 800 } })
    const wide = await page.evaluate<number>('document.documentElement.scrollWidth')
    expect(wide).toBeLessThanOrEqual(width)
    expect(await page.locator('.row[tabindex] .name').first().isVisible()).toBe(true)
    const square = await page.locator('.row[tabindex] i').first().boundingBox()
    expect(square?.width).toBeGreaterThan(4)
  })

  it.each(['light', 'dark'] as const)('has enough contrast in %s colours', async (colorScheme) => {
    const page = await open({ colorScheme })
    for (const part of ['body', '#made', '.state.broken', '.state.pending', '.state.current']) {
      expect(await contrastOf(page, part), part).toBeGreaterThanOrEqual(4.5)
    }
  })
})
