import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join, normalize, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

const isFile = (file: string): boolean =>
  statSync(join(ROOT, file), { throwIfNoEntry: false })?.isFile() === true

/** The pages of the repository: at its top, and below docs and examples. */
const pages = ['.', 'docs', 'docs/decisions', 'examples']
  .flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: folder === 'examples', encoding: 'utf8' }).map(
      (name) => posix.join(folder, name),
    ),
  )
  .filter((file) => file.endsWith('.md') && !file.includes('node_modules'))

interface Link {
  readonly page: string
  readonly to: string
  readonly anchor: string | undefined
}

const linksOf = (page: string): readonly Link[] =>
  [...read(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(
    ([, to = '', anchor]) => ({
      page,
      to: to === '' ? page : normalize(posix.join(posix.dirname(page), to)),
      anchor,
    }),
  )

/** The anchors of a page's headings, as forges and the site make them. */
const anchorsOf = (page: string): readonly string[] =>
  [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )

describe.each(pages)('%s', (page) => {
  it('links to what exists', () => {
    const missing = linksOf(page).filter(
      ({ to, anchor }) => !isFile(to) || (anchor !== undefined && !anchorsOf(to).includes(anchor)),
    )
    expect(missing).toEqual([])
  })
})

describe('docs/README.md', () => {
  const named = linksOf('docs/README.md').map(({ to }) => to)

  it('names every page', () => {
    const folders = pages.filter((page) => /^docs\/[^/]+\.md$/.test(page))
    expect(folders.filter((page) => page !== 'docs/README.md' && !named.includes(page))).toEqual([])
  })
})

describe('the site', () => {
  it('has every page of docs in its sidebar', () => {
    const config = read('docs/.vitepress/config.ts')
    const missing = pages
      .filter((page) => /^docs\/[^/]+\.md$/.test(page) && page !== 'docs/README.md')
      .filter((page) => !config.includes(`'/${page.replace(/\.md$/, '')}'`))
    expect(missing).toEqual([])
  })
})
