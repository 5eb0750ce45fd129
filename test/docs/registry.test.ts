import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(ROOT, 'docs/registry.md'), 'utf8')

describe('docs/registry.md', () => {
  it('names what may be mapped', () => {
    const source = readFileSync(join(ROOT, 'src/registry/mapped/mapping.ts'), 'utf8')
    const [, text = ''] = /const OPTIONS = \[([^\]]*)\]/.exec(source) ?? []
    const options = [...text.matchAll(/'(\w+)'/g)].map(([, name = '']) => name)
    expect(options.length).toBeGreaterThan(4)
    expect(options.filter((name) => !page.includes(name))).toEqual([])
  })
})
