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

/** `npm run coverage` names the suite by it, which then notes what it runs of the sources. */
const suite = process.env['TENANTRY_COVERAGE']

/** What every run of the tests has in common: the sources under their public names, one server. */
export const base: ViteUserConfig = {
  resolve: { alias: SOURCES },
  test: {
    // Most of a test's time is spent waiting for a server or a child process.
    maxWorkers: 4,
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: suite === undefined ? [] : ['test/coverage/children.ts'],
    coverage: {
      provider: 'v8',
      enabled: suite !== undefined,
      include: ['src/**/*.ts'],
      reporter: ['json'],
      reportsDirectory: `coverage/${suite}`,
      reportOnFailure: true,
    },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
}
