import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { compileErrors } from './compile.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Pages whose code is compiled, or also run, by tests of their own. */
const COMPILED_ELSEWHERE = ['frameworks.md', 'moving-over.md', 'security.md']

/** The blocks of a page in TypeScript. */
const blocksOf = (page: string): readonly string[] =>
  [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```ts\n([^]*?)^```$/gm)].map(
    ([, block = '']) => `// ${page}\n${block}`,
  )

it('the examples of all pages in docs compile', { timeout: 240_000 }, () => {
  const pages = readdirSync(join(ROOT, 'docs'), { encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .filter((name) => !COMPILED_ELSEWHERE.includes(name))
  const blocks = pages.flatMap((name) => blocksOf(`docs/${name}`))
  expect(blocks.length).toBeGreaterThan(30)
  expect(compileErrors(ROOT, blocks)).toEqual([])
})
