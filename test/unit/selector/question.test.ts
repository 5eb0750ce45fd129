import { describe, expect, it } from 'vitest'
import { parseSchemaName } from '../../../src/names/schema-name.js'
import { asksForBehind, strangeNames } from '../../../src/selector/question.js'
import { type FleetSchema, type Selector, select } from '../../../src/selector/selector.js'

const schema = parseSchemaName('tenant_acme')
const row = { id: '1', slug: 'acme', name: 'Acme', schema, metadata: {}, createdAt: new Date(0) }
const fleet: readonly FleetSchema[] = [
  { schema: parseSchemaName('main'), kind: 'static' },
  { schema, kind: 'tenant', tenant: { ...row, status: 'active' } },
]

describe('asksForBehind', () => {
  it('looks into unions and intersections', () => {
    const behind = select.behind()
    expect(asksForBehind(behind)).toBe(true)
    expect(asksForBehind(select.union(select.all(), select.intersect(behind)))).toBe(true)
    expect(asksForBehind(select.intersect(select.union(behind), select.all()))).toBe(true)
    expect(asksForBehind(select.union(select.all(), select.names('behind')))).toBe(false)
  })

  it.each([undefined, null, 'behind'])('is false for %j, which is no selector', (input) => {
    const selector: Selector = JSON.parse(JSON.stringify({ kind: 'union', of: [input] }))
    expect(asksForBehind(selector)).toBe(false)
  })
})

describe('strangeNames', () => {
  it('are those that no schema and no slug answers to, each once', () => {
    const selector = select.union(
      select.names('acme.com', 'acme', 'main'),
      select.intersect(select.names('tenant_acme', 'acme.com', 'acme.org')),
    )
    expect(strangeNames(selector, [], fleet)).toEqual(['acme.com', 'acme.org'])
  })

  it('are those of the exclusion too, but for globs', () => {
    const excluded = ['acme.com', 'acme', '*.com', 'ma?n']
    expect(strangeNames(select.all(), excluded, fleet)).toEqual(['acme.com'])
    expect(strangeNames(select.matching('*.com'), [], fleet)).toEqual([])
  })
})
