import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { compileErrors } from './compile.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Pages whose code is compiled and run as a file of its own; the README's has a test as well. */
const RUN_ELSEWHERE = ['moving-over.md', 'security.md']

/** The blocks of a page in TypeScript. */
const blocksOf = (page: string): readonly string[] =>
  [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```ts\n([^]*?)^```$/gm)].map(
    ([, block = '']) => `// ${page}\n${block}`,
  )

it('the examples of all pages in docs compile', { timeout: 240_000 }, () => {
  const pages = readdirSync(join(ROOT, 'docs'), { encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .filter((name) => !RUN_ELSEWHERE.includes(name))
  const blocks = pages.flatMap((name) => blocksOf(`docs/${name}`))
  expect(blocks.length).toBeGreaterThan(30)
  expect(compileErrors(ROOT, blocks)).toEqual([])
})
