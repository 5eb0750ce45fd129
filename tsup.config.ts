import { defineConfig } from 'tsup'

const library = {
  index: 'src/index.ts',
  migrate: 'src/migrate.ts',
  testing: 'src/testing/index.ts',
  drizzle: 'src/adapters/drizzle.ts',
  knex: 'src/adapters/knex.ts',
  kysely: 'src/adapters/kysely.ts',
  'mikro-orm': 'src/adapters/mikro-orm.ts',
  sequelize: 'src/adapters/sequelize.ts',
  typeorm: 'src/adapters/typeorm.ts',
  prisma: 'src/adapters/prisma.ts',
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
    sourcemap: true,
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
