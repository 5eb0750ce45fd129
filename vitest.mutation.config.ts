import { fileURLToPath } from 'node:url'
import { type ViteUserConfig, configDefaults } from 'vitest/config'
import { SOURCES, base } from './vitest.base.js'

const JUDGED_ANEW = fileURLToPath(new URL('test/support/judged-anew.ts', import.meta.url))

/** What Stryker runs for each mutant: the tests that need no server, with nothing remembered between two. */
const config: ViteUserConfig = {
  ...base,
  resolve: {
    alias: [...SOURCES, { find: /^.*\/support\/judged-text\.js$/, replacement: JUDGED_ANEW }],
  },
  test: {
    ...base.test,
    include: ['test/unit/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/unit/support/judged-text.test.ts'],
    globalSetup: [],
  },
}

export default config
