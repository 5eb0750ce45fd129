import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { compileErrors } from './compile.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(ROOT, 'docs/frameworks.md'), 'utf8')
const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  exports: Record<string, unknown>
}
const FRAMEWORKS = ['express', 'fastify', 'hono', 'http', 'koa', 'nest']
describe('docs/frameworks.md', () => {
  it('has examples that compile', { timeout: 120_000 }, () => {
    const blocks = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, text = '']) => text)
    expect(blocks.length).toBeGreaterThan(8)
    expect(compileErrors(ROOT, blocks)).toEqual([])
  })

  it('names every subpath of a framework', () => {
    expect(FRAMEWORKS.filter((name) => exports[`./${name}`] === undefined)).toEqual([])
    expect(FRAMEWORKS.filter((name) => !page.includes(`\`tenantry/${name}\``))).toEqual([])
  })

  it('names every option and every resolver', () => {
    const source = readFileSync(join(ROOT, 'src/adapters/request/options.ts'), 'utf8')
    const [, text = ''] = /const KEYS = \[([^\]]*)\]/.exec(source) ?? []
    const options = [...text.matchAll(/'(\w+)'/g)].map(([, name = '']) => name)
    expect(options).toHaveLength(5)
    const resolvers = ['byHost', 'bySubdomain', 'byPath', 'byHeader', 'byClaim', 'firstOf']
    const rows = [...options, ...resolvers].filter((name) => !page.includes(`| \`${name}`))
    expect(rows).toEqual([])
  })
})
