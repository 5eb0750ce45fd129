import { fileURLToPath } from 'node:url'
import type { ViteUserConfig } from 'vitest/config'

const source = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url))

/** The sources under their public names. */
export const SOURCES: { readonly find: RegExp; readonly replacement: string }[] = [
  { find: /^tenantry$/, replacement: source('index.ts') },
  { find: /^tenantry\/migrate$/, replacement: source('migrate.ts') },
  { find: /^tenantry\/jobs$/, replacement: source('adapters/jobs.ts') },
  { find: /^tenantry\/testing$/, replacement: source('testing/index.ts') },
  { find: /^tenantry\/([\w-]+)$/, replacement: source('adapters/$1.ts') },
]

/** Suites that take minutes; each has a script of its own, such as `npm run test:scope`. */
export const SLOW_SUITES = 'test/{browser,embedded,scope,isolation,pgbouncer}/**'

/** What every run of the tests has in common: the sources under their public names, one server. */
export const base: ViteUserConfig = {
  resolve: { alias: SOURCES },
  test: {
    // Most of a test's time is spent waiting for a server or a child process.
    maxWorkers: 4,
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
}
