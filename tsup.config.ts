import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { defineConfig } from 'tsup'

/** Each file at the top of the folder is a subpath of the package; what they share is below. */
const adapters = readdirSync('src/adapters').filter((name) => name.endsWith('.ts'))

const library = {
  index: 'src/index.ts',
  migrate: 'src/migrate.ts',
  testing: 'src/testing/index.ts',
  ...Object.fromEntries(adapters.map((name) => [basename(name, '.ts'), `src/adapters/${name}`])),
}

const config: ReturnType<typeof defineConfig> = defineConfig([
  {
    entry: library,
    format: ['esm', 'cjs'],
    target: 'node20',
    dts: true,
    // Subpaths share one copy of the ambient context and of the error class.
    splitting: true,
    // Names are kept by not minifying: drizzle-orm knows a pool by a constructor called …Pool.
    // `keepNames` would define the name of every closure anew each time it is made, and without
    // tree-shaking the CommonJS of shared chunks renames classes.
    minify: false,
    treeshake: true,
    clean: true,
  },
  {
    entry: { cli: 'src/cli/main.ts' },
    format: ['esm'],
    target: 'node20',
    splitting: true,
    // The CLI is a user of the package: it imports it by its own name.
    external: [/^tenantry(\/|$)/],
    // The parts of the status page, which is written by the CLI as one file.
    loader: { '.html': 'text', '.css': 'text', '.client.js': 'text' },
  },
])

export default config
