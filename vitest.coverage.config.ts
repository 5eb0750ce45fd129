import { type ViteUserConfig, configDefaults } from 'vitest/config'
import { base } from './vitest.base.js'

/** `npm run coverage`: all tests of the sources, and what their child processes reach in the build. */
const config: ViteUserConfig = {
  ...base,
  test: {
    ...base.test,
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/{docs,examples}/**'],
    setupFiles: ['test/coverage/children.ts'],
    coverage: {
      provider: 'v8',
      enabled: true,
      include: ['src/**/*.ts'],
      reporter: ['json'],
      reportsDirectory: 'coverage/tests',
      reportOnFailure: true,
    },
  },
}

export default config
