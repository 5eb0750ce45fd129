import { describe, expect, it } from 'vitest'
import { parseSchemaName } from '../../../src/names/schema-name.js'
import { searchPath } from '../../../src/names/search-path.js'

const [acme, shared, main] = ['tenant_acme', 'public', 'main'].map(parseSchemaName)
const names = { acme: acme ?? fail(), shared: shared ?? fail(), main: main ?? fail() }

function fail(): never {
  throw new TypeError('A name is missing.')
}

describe('searchPath', () => {
  it('has the schema first and pg_temp last, so that no temporary table stands in front', () => {
    expect(searchPath(names.acme, [])).toBe('"tenant_acme", pg_temp')
  })

  it('keeps the extras in their order', () => {
    const path = searchPath(names.acme, [names.main, names.shared])
    expect(path).toBe('"tenant_acme", "main", "public", pg_temp')
  })

  it('names a schema once when it is among its own extras', () => {
    expect(searchPath(names.shared, [names.main, names.shared])).toBe('"public", "main", pg_temp')
  })

  it('contains public only when it is asked for', () => {
    expect(searchPath(names.acme, [names.main])).not.toContain('public')
  })
})
