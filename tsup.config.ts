import { readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Options, defineConfig } from 'tsup'

/** Each file at the top of the folder is a subpath of the package; what they share is below. */
const adapters = readdirSync('src/adapters').filter((name) => name.endsWith('.ts'))

/** `npm run coverage` tells what child processes run of the build by the sources. */
const sourcemap = process.env['TENANTRY_COVERAGE'] !== undefined

type Plugin = NonNullable<Options['plugins']>[number]

const library = {
  index: 'src/index.ts',
  migrate: 'src/migrate.ts',
  testing: 'src/testing/index.ts',
  ...Object.fromEntries(adapters.map((name) => [basename(name, '.ts'), `src/adapters/${name}`])),
}

/**
 * In CommonJS what is loaded late is loaded by `require`: Jest knows no `import()` there, and Node would
 * make a second kind of module of the same file.
 */
const lateByRequire: Plugin = {
  name: 'late-by-require',
  async buildEnd({ writtenFiles }) {
    if (this.format !== 'cjs') return
    const files = writtenFiles.map(({ name }) => name).filter((name) => name.endsWith('.cjs'))
    await Promise.all(
      files.map(async (file) => {
        const text = await readFile(file, 'utf8')
        const late = /\bimport\((['"]\.\/[\w-]+\.cjs['"])\)/g
        await writeFile(file, text.replaceAll(late, 'Promise.resolve().then(() => require($1))'))
      }),
    )
  },
}

const config: ReturnType<typeof defineConfig> = defineConfig([
  {
    entry: library,
    format: ['esm', 'cjs'],
    target: 'node20',
    sourcemap,
    dts: true,
    // Subpaths share one copy of the ambient context and of the error class.
    splitting: true,
    // Names are kept by not minifying: drizzle-orm knows a pool by a constructor called …Pool.
    // `keepNames` would define the name of every closure anew each time it is made, and without
    // tree-shaking the CommonJS of shared chunks renames classes.
    minify: false,
    treeshake: true,
    clean: true,
    plugins: [lateByRequire],
  },
  {
    entry: { cli: 'src/cli/main.ts' },
    format: ['esm'],
    target: 'node20',
    sourcemap,
    splitting: true,
    // The CLI is a user of the package: it imports it by its own name.
    external: [/^tenantry(\/|$)/],
    // The parts of the status page, which is written by the CLI as one file.
    loader: { '.html': 'text', '.css': 'text', '.client.js': 'text' },
  },
])

export default config
