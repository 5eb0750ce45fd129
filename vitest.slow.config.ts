import type { ViteUserConfig } from 'vitest/config'
import { SLOW_SUITES, base } from './vitest.base.js'

const config: ViteUserConfig = {
  ...base,
  test: { ...base.test, include: [`${SLOW_SUITES}/*.test.ts`] },
}

export default config
