import { readFileSync, readdirSync } from 'node:fs'
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
const sources = [
  ...FRAMEWORKS.map((name) => readFileSync(join(ROOT, `src/adapters/${name}.ts`), 'utf8')),
  ...['src/adapters/request', 'src/adapters/node', 'src/testing/adapter'].flatMap(sourcesIn),
]

function sourcesIn(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(ROOT, folder, name), 'utf8'))
}

/** The code behind each `@example` in the comments of a source. */
function examplesOf(source: string): readonly string[] {
  return [...source.matchAll(/^ \* @example\n((?: \*(?! @|\/).*\n)+)/gm)].map(([, lines = '']) =>
    lines.replaceAll(/^ \* ?/gm, ''),
  )
}

describe('docs/frameworks.md', () => {
  it('has examples that compile, and so have the comments', { timeout: 120_000 }, () => {
    const blocks = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, text = '']) => text)
    const examples = sources.flatMap(examplesOf)
    expect(blocks.length).toBeGreaterThan(8)
    expect(examples.length).toBeGreaterThan(10)
    expect(compileErrors(ROOT, [...blocks, ...examples])).toEqual([])
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
