import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AUDIT_KINDS } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { compileErrors } from './compile.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(ROOT, 'docs/tenants.md'), 'utf8')

describe('docs/tenants.md', () => {
  it('has examples that compile', { timeout: 60_000 }, () => {
    const blocks = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, text = '']) => text)
    expect(blocks.length).toBeGreaterThan(2)
    expect(compileErrors(ROOT, blocks)).toEqual([])
  })

  it('names every kind of finding of an audit, and no other', () => {
    const named = [...page.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, kind = '']) => kind)
    expect(named.toSorted()).toEqual(AUDIT_KINDS)
  })
})
