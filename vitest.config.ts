import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url))

const config: ReturnType<typeof defineConfig> = defineConfig({
  resolve: {
    alias: [
      { find: /^tenantry$/, replacement: source('index.ts') },
      { find: /^tenantry\/migrate$/, replacement: source('migrate.ts') },
      { find: /^tenantry\/testing$/, replacement: source('testing/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})

export default config
