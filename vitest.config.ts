import { type ViteUserConfig, configDefaults } from 'vitest/config'
import { SCOPE_SUITES, base } from './vitest.base.js'

const config: ViteUserConfig = {
  ...base,
  test: {
    ...base.test,
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, SCOPE_SUITES],
  },
}

export default config
