import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as migrate from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { SQL_FORMATS } from '../../src/migration/sources/folder-format.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(ROOT, 'docs/sources.md'), 'utf8')

describe('docs/sources.md', () => {
  it('names every format', () => {
    const named = [...page.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, name = '']) => name)
    expect(SQL_FORMATS.filter((format) => !named.includes(format))).toEqual([])
  })

  it('names every source and bridge that tenantry/migrate exports', () => {
    const sources = Object.keys(migrate).filter((name) => !/^lint/i.test(name))
    expect(sources.filter((name) => !page.includes(name))).toEqual([])
  })
})
