import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AUDIT_KINDS } from 'tenantry'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(ROOT, 'docs/tenants.md'), 'utf8')

describe('docs/tenants.md', () => {
  it('names every kind of finding of an audit, and no other', () => {
    const named = [...page.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, kind = '']) => kind)
    expect(named.toSorted()).toEqual(AUDIT_KINDS)
  })
})
