import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { compileErrors } from './compile.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

describe.each([
  'docs/domains.md',
  'docs/jobs.md',
  'docs/observability.md',
  'docs/tenants.md',
  'docs/testing.md',
])('%s', (page) => {
  it('has examples that compile', { timeout: 60_000 }, () => {
    const text = readFileSync(join(ROOT, page), 'utf8')
    const blocks = [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, block = '']) => block)
    expect(blocks.length).toBeGreaterThan(0)
    expect(compileErrors(ROOT, blocks)).toEqual([])
  })
})
