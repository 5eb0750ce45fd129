import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ERROR_CODES } from 'tenantry'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'docs/errors.md'), 'utf8')
const rows = [...page.matchAll(/^\| `([A-Z_]+)` \|([^|]+)\|([^|]+)\|$/gm)]

const source = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && name !== 'errors.ts')
  .map((name) => readFileSync(join(root, 'src', name), 'utf8'))
  .join('\n')

describe('docs/errors.md', () => {
  it('explains every code once, in alphabetical order', () => {
    expect(rows.map(([, code]) => code)).toEqual(ERROR_CODES.toSorted())
  })

  it('says of each code what it means and how to solve it', () => {
    const thin = rows.filter(
      ([, , meaning = '', solution = '']) =>
        meaning.trim().length < 15 || solution.trim().length < 15,
    )
    expect(thin).toEqual([])
  })
})

describe('ERROR_CODES', () => {
  it('holds no code that is never thrown', () => {
    expect(ERROR_CODES.filter((code) => !source.includes(`'${code}'`))).toEqual([])
  })
})
