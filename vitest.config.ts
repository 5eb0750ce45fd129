import { type ViteUserConfig, configDefaults } from 'vitest/config'
import { SLOW_SUITES, base } from './vitest.base.js'

const config: ViteUserConfig = {
  ...base,
  test: {
    ...base.test,
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, SLOW_SUITES],
  },
}

export default config
