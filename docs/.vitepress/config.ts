import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DefaultTheme, defineConfig } from 'vitepress'

const GUIDE: DefaultTheme.SidebarItem[] = [
  {
    text: 'Begin',
    items: [
      { text: 'Why, and a tour', link: '/' },
      { text: 'Getting started', link: '/docs/getting-started' },
      { text: 'Concepts', link: '/docs/concepts' },
      { text: 'Moving over', link: '/docs/moving-over' },
    ],
  },
  {
    text: 'Queries',
    items: [
      { text: 'Scopes and poolers', link: '/docs/scopes' },
      { text: 'Security', link: '/docs/security' },
      { text: 'Frameworks', link: '/docs/frameworks' },
      { text: 'ORMs', link: '/docs/orms' },
      { text: 'Jobs', link: '/docs/jobs' },
      { text: 'Observability', link: '/docs/observability' },
      { text: 'Testing', link: '/docs/testing' },
    ],
  },
  {
    text: 'Tenants',
    items: [
      { text: 'The life of a tenant', link: '/docs/tenants' },
      { text: 'The registry', link: '/docs/registry' },
      { text: 'Domains and requests', link: '/docs/domains' },
      { text: 'Spares', link: '/docs/spares' },
      { text: 'Backups', link: '/docs/backup' },
    ],
  },
  {
    text: 'Migrations',
    items: [
      { text: 'Migrations at scale', link: '/docs/migrations' },
      { text: 'Sources', link: '/docs/sources' },
      { text: 'Selectors', link: '/docs/selectors' },
      { text: 'Lint', link: '/docs/lint' },
      { text: 'Verify', link: '/docs/verify' },
    ],
  },
  {
    text: 'Reference',
    items: [
      { text: 'Command line', link: '/docs/cli' },
      { text: 'API', link: '/docs/api/' },
      { text: 'Errors', link: '/docs/errors' },
      { text: 'Limits', link: '/docs/limits' },
      { text: 'Performance', link: '/docs/performance' },
      { text: 'Architecture', link: '/ARCHITECTURE' },
      { text: 'Decisions', link: '/docs/decisions/' },
      { text: 'Changes', link: '/CHANGELOG' },
    ],
  },
]

// Written by `npm run docs:api`; without it the site is built without these pages.
async function apiPages(): Promise<DefaultTheme.SidebarItem[]> {
  const file = new URL('../api/typedoc-sidebar.json', import.meta.url)
  const text = await readFile(file, 'utf8').catch(() => '[]')
  return JSON.parse(text) as DefaultTheme.SidebarItem[]
}

// The site is the repository's own pages: what is read on a forge is read here, and no text and no
// link is written twice. A link that leads nowhere fails the build.
export default defineConfig({
  title: 'tenantry',
  description: 'Schema-per-tenant PostgreSQL for Node services',
  srcDir: '..',
  srcExclude: ['**/node_modules/**', 'dist/**', 'test/**', 'bench/**', '.*/**'],
  outDir: '.vitepress/dist',
  cacheDir: '.vitepress/cache',
  rewrites: {
    'README.md': 'index.md',
    'docs/README.md': 'docs/index.md',
    'docs/decisions/README.md': 'docs/decisions/index.md',
    'examples/:example/README.md': 'examples/:example/index.md',
  },
  // The licence has no extension, so it is taken for a page; it is copied beside the pages.
  ignoreDeadLinks: [/^\.\/LICENSE$/],
  buildEnd: ({ root, outDir }) => copyFile(join(root, '../LICENSE'), join(outDir, 'LICENSE')),
  // A tab shows the title as text.
  transformPageData: ({ title }) => ({
    title: title.replaceAll('&lt;', '<').replaceAll('&gt;', '>'),
  }),
  themeConfig: {
    search: { provider: 'local' },
    outline: 'deep',
    nav: [
      { text: 'Guide', link: '/docs/' },
      { text: 'API', link: '/docs/api/' },
    ],
    sidebar: { '/docs/api/': await apiPages(), '/': GUIDE },
  },
})
