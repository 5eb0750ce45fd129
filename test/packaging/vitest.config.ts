import { defineConfig } from 'vitest/config'

// The packed package is tested apart from the rest: it has to be built first.
const config: ReturnType<typeof defineConfig> = defineConfig({
  test: {
    include: ['test/packaging/**/*.check.ts'],
    globalSetup: ['test/support/global-setup.ts', 'test/packaging/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})

export default config
