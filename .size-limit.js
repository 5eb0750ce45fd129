/** What is loaded late is no part of what a service begins with. */
const withoutLateParts = {
  name: 'without-late-parts',
  setup(build) {
    build.onResolve({ filter: /^\./ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    )
  },
}

/** Minified, gzipped, and without the dependencies of the package. */
const size = (name, options) => ({
  name,
  gzip: true,
  modifyEsbuildConfig: (config) => ({
    ...config,
    platform: 'node',
    packages: 'external',
    plugins: [...(config.plugins ?? []), withoutLateParts],
  }),
  ...options,
})

const subpath = (name, limit) => size(`tenantry/${name}`, { path: `dist/${name}.js`, limit })

export default [
  size('a service: SchemaRouter', {
    path: 'dist/index.js',
    import: '{ SchemaRouter }',
    limit: '25 kB',
  }),
  size('all of tenantry', { path: 'dist/index.js', limit: '32 kB' }),
  // Who takes one small thing gets nothing of the rest.
  size('one function: isTenantryError', {
    path: 'dist/index.js',
    import: '{ isTenantryError }',
    limit: '3 kB',
  }),
  size('one function: select', { path: 'dist/index.js', import: '{ select }', limit: '3 kB' }),
  subpath('express', '5 kB'),
  subpath('fastify', '5 kB'),
  subpath('hono', '5 kB'),
  subpath('koa', '5 kB'),
  subpath('nest', '5 kB'),
  subpath('http', '5 kB'),
  subpath('drizzle', '5 kB'),
  subpath('knex', '5 kB'),
  subpath('kysely', '5 kB'),
  subpath('prisma', '5 kB'),
  subpath('typeorm', '5 kB'),
  subpath('sequelize', '5 kB'),
  subpath('mikro-orm', '5 kB'),
  subpath('jobs', '5 kB'),
]
