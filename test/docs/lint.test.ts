import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { LINT_RULES } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { SAMPLES } from '../lint/sample.js'

const page = readFileSync(fileURLToPath(new URL('../../docs/lint.md', import.meta.url)), 'utf8')
const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (error|warning|note) \|([^|]+)\|([^|]+)\|$/gm)]
const LEVELS = ['error', 'warning', 'note']

describe('docs/lint.md', () => {
  it('explains every rule once, in alphabetical order', () => {
    expect(rows.map(([, rule]) => rule)).toEqual(LINT_RULES.toSorted())
  })

  it('gives each rule the highest level that its samples have', () => {
    const documented = rows.filter(([, rule]) => rule !== 'unknown-rule')
    const levels = documented.map(([, rule, level]) => ({ rule, level }))
    const found = documented.map(([, rule]) => {
      const samples = SAMPLES.filter((sample) => sample.rule === rule)
      const ranks = samples.map(({ level = 'error' }) => LEVELS.indexOf(level))
      return { rule, level: LEVELS[Math.min(...ranks)] }
    })
    expect(levels).toEqual(found)
  })
})
