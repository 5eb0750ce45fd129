import type { ViteUserConfig } from 'vitest/config'
import { SCOPE_SUITES, base } from './vitest.base.js'

const config: ViteUserConfig = {
  ...base,
  test: { ...base.test, include: [`${SCOPE_SUITES}/*.test.ts`] },
}

export default config
