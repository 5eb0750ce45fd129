import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSchemaName } from '../../../src/names/schema-name.js'
import type { TenantStatus } from '../../../src/registry/tenant.js'
import { resolveSelector } from '../../../src/selector/resolve.js'
import { type FleetSchema, type Selector, select } from '../../../src/selector/selector.js'
import { thrownBy } from '../thrown.js'

function tenant(slug: string, status: TenantStatus = 'active'): FleetSchema {
  const schema = parseSchemaName(`tenant_${slug}`)
  const row = { id: slug, slug, name: slug, schema, status, metadata: {}, createdAt: new Date(0) }
  return { schema, kind: 'tenant', tenant: row }
}

const shared: FleetSchema = { schema: parseSchemaName('public'), kind: 'shared' }
const main: FleetSchema = { schema: parseSchemaName('main'), kind: 'static' }
const audit: FleetSchema = { schema: parseSchemaName('audit'), kind: 'static' }
// Neither the kinds nor the names are in order.
const fleet = [tenant('zeta'), audit, tenant('beta', 'suspended'), shared, tenant('acme'), main]

const names = (selector: Selector, exclude?: readonly string[]): readonly string[] =>
  resolveSelector(selector, fleet, exclude ? { exclude } : {}).map(({ schema }) => schema)

describe('resolveSelector', () => {
  it('takes every schema: shared, then static, then tenants, each by name', () => {
    expect(names(select.all())).toEqual([
      'public',
      'audit',
      'main',
      'tenant_acme',
      'tenant_beta',
      'tenant_zeta',
    ])
  })

  it('takes what all parts of an intersection take', () => {
    const selector = select.intersect(
      select.tenants(),
      select.names('tenant_acme', 'tenant_zeta', 'main'),
      select.names('tenant_acme', 'tenant_beta'),
    )
    expect(names(selector)).toEqual(['tenant_acme'])
  })

  it('takes the tenant that a domain leads to', () => {
    const domains = new Map([['zeta.example.com', [parseSchemaName('tenant_zeta')]]])
    const found = resolveSelector(select.names('zeta.example.com'), fleet, { domains })
    expect(found.map(({ schema }) => schema)).toEqual(['tenant_zeta'])
  })

  it('takes the shared schema only', () => {
    expect(names(select.shared())).toEqual(['public'])
  })

  it('takes the static schemas', () => {
    expect(names(select.static())).toEqual(['audit', 'main'])
  })

  it('takes tenants of every status', () => {
    expect(names(select.tenants())).toEqual(['tenant_acme', 'tenant_beta', 'tenant_zeta'])
  })

  it('takes tenants of the given status', () => {
    expect(names(select.tenants({ status: ['suspended'] }))).toEqual(['tenant_beta'])
  })

  it('takes no tenant for an empty list of status', () => {
    expect(names(select.tenants({ status: [] }))).toEqual([])
  })

  it('takes schemas by name and tenants by slug, in the order of a run', () => {
    expect(names(select.names('zeta', 'tenant_acme', 'main'))).toEqual([
      'main',
      'tenant_acme',
      'tenant_zeta',
    ])
  })

  it('takes a schema once that is named by schema and by slug', () => {
    expect(names(select.names('acme', 'tenant_acme', 'acme'))).toEqual(['tenant_acme'])
  })

  it('takes no schema for no name', () => {
    expect(names(select.names())).toEqual([])
  })

  it('takes the union, each schema once', () => {
    const selector = select.union(select.names('acme'), select.shared(), select.tenants())
    expect(names(selector)).toEqual(['public', 'tenant_acme', 'tenant_beta', 'tenant_zeta'])
  })

  it('takes unions of unions', () => {
    const inner = select.union(select.static(), select.names('beta'))
    expect(names(select.union(select.union(inner)))).toEqual(['audit', 'main', 'tenant_beta'])
  })

  it('lets an exclusion by schema win over a name', () => {
    expect(names(select.names('acme', 'beta'), ['tenant_acme'])).toEqual(['tenant_beta'])
  })

  it('lets an exclusion by slug win over everything', () => {
    expect(names(select.union(select.all(), select.names('zeta')), ['zeta', 'public'])).toEqual([
      'audit',
      'main',
      'tenant_acme',
      'tenant_beta',
    ])
  })

  it('allows to exclude what was not selected', () => {
    expect(names(select.shared(), ['acme'])).toEqual(['public'])
  })

  it('refuses an unknown name and says which it may have been', () => {
    expect(thrownBy(() => names(select.names('acm')))).toMatchObject({
      code: 'SELECTOR_UNKNOWN',
      schema: 'acm',
      candidates: ['tenant_acme'],
      message: expect.stringContaining('tenant_acme'),
    })
  })

  it('refuses a part of a name: names are exact', () => {
    expect(thrownBy(() => names(select.names('tenant_')))).toMatchObject({
      code: 'SELECTOR_UNKNOWN',
      candidates: ['tenant_zeta', 'tenant_beta', 'tenant_acme'],
    })
  })

  it('refuses an unknown exclusion, so that a misspelt one spares nothing silently', () => {
    expect(thrownBy(() => names(select.all(), ['tenant_acmee']))).toMatchObject({
      code: 'SELECTOR_UNKNOWN',
      schema: 'tenant_acmee',
      candidates: ['tenant_acme'],
    })
  })

  it('says what to look at when nothing is alike', () => {
    const error = thrownBy(() => names(select.names('nobody')))
    expect(error).toMatchObject({ code: 'SELECTOR_UNKNOWN', candidates: [] })
    expect(error).toHaveProperty('message', expect.stringMatching(/"nobody"\. \w+/))
  })

  it('offers no more than ten candidates', () => {
    const many = Array.from({ length: 30 }, (_, index) => tenant(`acme${index}`))
    const error = thrownBy(() => resolveSelector(select.names('acme'), many))
    expect(error).toHaveProperty('candidates.length', 10)
  })

  it('refuses a name that is one schema’s name and another tenant’s slug', () => {
    const both = [...fleet, tenant('main')]
    for (const run of [
      () => resolveSelector(select.names('main'), both),
      () => resolveSelector(select.all(), both, { exclude: ['main'] }),
    ]) {
      expect(thrownBy(run)).toMatchObject({
        code: 'SELECTOR_AMBIGUOUS',
        schema: 'main',
        candidates: ['main', 'tenant_main'],
      })
    }
  })

  it('takes the tenant of an ambiguous name by its schema', () => {
    const found = resolveSelector(select.names('tenant_main'), [...fleet, tenant('main')])
    expect(found.map(({ schema }) => schema)).toEqual(['tenant_main'])
  })

  it('takes what a glob matches, by schema and by slug', () => {
    expect(names(select.matching('tenant_*ta'))).toEqual(['tenant_beta', 'tenant_zeta'])
    expect(names(select.matching('?cme'))).toEqual(['tenant_acme'])
    expect(names(select.matching('*'))).toHaveLength(fleet.length)
  })

  it.each(['tenant_', 'acm', '*x*', 'ac?me', '[a]*', '.*'])('lets %j match nothing', (glob) => {
    expect(thrownBy(() => names(select.matching(glob)))).toMatchObject({ code: 'SELECTOR_UNKNOWN' })
  })

  it('excludes by glob, and refuses a glob that spares nothing', () => {
    expect(names(select.all(), ['tenant_*'])).toEqual(['public', 'audit', 'main'])
    expect(names(select.names('acme', 'main'), ['a*e'])).toEqual(['main'])
    expect(thrownBy(() => names(select.all(), ['demo*']))).toMatchObject({
      code: 'SELECTOR_UNKNOWN',
    })
  })

  it('takes tenants by what their metadata hold, nested', () => {
    const withPlan = (slug: string, metadata: Record<string, unknown>): FleetSchema => {
      const made = tenant(slug)
      return { ...made, ...(made.tenant && { tenant: { ...made.tenant, metadata } }) }
    }
    const some = [
      withPlan('a', { plan: 'pro', limits: { seats: 5, days: 1 } }),
      withPlan('b', { plan: 'pro', limits: { seats: 6 } }),
      withPlan('c', {}),
    ]
    const taken = (metadata: Record<string, unknown>): readonly string[] =>
      resolveSelector(select.tenants({ metadata }), some).map(({ schema }) => schema)
    expect(taken({ plan: 'pro' })).toEqual(['tenant_a', 'tenant_b'])
    expect(taken({ limits: { seats: 5 } })).toEqual(['tenant_a'])
    expect(taken({ limits: {}, plan: 'free' })).toEqual([])
    expect(taken({ toString: undefined })).toEqual([])
  })

  it('takes what all selectors have in common, such as the tenants that are behind', () => {
    const behind = new Set(['public', 'tenant_acme'])
    const selector = select.intersect(select.tenants(), select.behind())
    const found = resolveSelector(selector, fleet, { behind })
    expect(found.map(({ schema }) => schema)).toEqual(['tenant_acme'])
  })

  it('offers the nearest name first', () => {
    const some = [tenant('gamma-acme'), tenant('acme2'), tenant('acne')]
    expect(thrownBy(() => resolveSelector(select.names('acme'), some))).toMatchObject({
      candidates: ['tenant_acme2', 'tenant_acne', 'tenant_gamma-acme'],
    })
  })

  it.each([undefined, null, 'tenants', {}, { kind: 'everything' }])(
    'refuses %o, which is no selector',
    (input) => {
      const wrong: unknown = input
      expect(thrownBy(() => resolveSelector(wrong as Selector, fleet))).toMatchObject({
        code: 'OPTIONS_INVALID',
        option: 'select',
      })
    },
  )

  it('gives the same order whatever the order of the fleet', () => {
    const shuffled = fc.shuffledSubarray([...fleet], { minLength: fleet.length })
    fc.assert(
      fc.property(shuffled, (order) => {
        expect(resolveSelector(select.all(), order)).toEqual(resolveSelector(select.all(), fleet))
      }),
    )
  })

  it('never yields what is excluded, and everything else that is selected', () => {
    const some = fc.subarray(fleet.map(({ schema }) => schema))
    fc.assert(
      fc.property(some, some, (wanted, exclude) => {
        const left = wanted.filter((name) => !exclude.includes(name))
        expect(names(select.names(...wanted), exclude).toSorted()).toEqual(left.toSorted())
      }),
    )
  })
})
