import type { ViteUserConfig } from 'vitest/config'
import { base } from './vitest.base.js'

/** What Stryker runs for each mutant: the tests that need no server. */
const config: ViteUserConfig = {
  ...base,
  test: { ...base.test, include: ['test/unit/**/*.test.ts'], globalSetup: [] },
}

export default config
