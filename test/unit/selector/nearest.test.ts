import { describe, expect, it } from 'vitest'
import { parseSchemaName } from '../../../src/names/schema-name.js'
import { nearestSchemas } from '../../../src/selector/nearest.js'
import type { FleetSchema } from '../../../src/selector/selector.js'

const fleetOf = (...names: readonly string[]): readonly FleetSchema[] =>
  names.map((name) => ({ schema: parseSchemaName(name), kind: 'static' as const }))

/** Of one schema, whether it is near. */
const isNear = (name: string, schema: string): boolean =>
  nearestSchemas(name, fleetOf(schema)).length === 1

describe('nearestSchemas', () => {
  it.each([
    ['billing', 'biling', 'a sign is missing'],
    ['billing', 'billling', 'a sign is too much'],
    ['billing', 'bylling', 'a sign is another'],
    ['billing', 'billlling', 'two signs are too much'],
    ['billing', 'bolling1', 'one is another and one too much'],
    ['billing', 'archived_billing_2020', 'it is a part'],
    ['archived_billing', 'billing', 'it has the name as a part'],
    ['abc', 'abd', 'one of three is another'],
    ['ab', 'ac', 'one is always allowed'],
  ])('takes for %s the schema %s: %s', (name, schema) => {
    expect(isNear(name, schema)).toBe(true)
  })

  it.each([
    ['billing', 'balling22', 'three edits'],
    ['billing', 'gnillib', 'the other way round'],
    ['abcde', 'abxyz', 'three of five'],
    ['abcde', 'abcxy', 'two of five are too many'],
    ['abc', 'xyz', 'nothing in common'],
    ['abcdefghijkl', 'abcdefgxyzkl', 'three of twelve'],
    ['main', 'maintainers1'.replace('main', 'mian'), 'much longer'],
  ])('does not take for %s the schema %s: %s', (name, schema) => {
    expect(isNear(name, schema)).toBe(false)
  })

  it('has the nearest first, and ten at most', () => {
    expect(nearestSchemas('billing', fleetOf('bylling1', 'biling'))).toEqual(['biling', 'bylling1'])
    const many = Array.from({ length: 12 }, (_, index) => `billing${index}`)
    expect(nearestSchemas('billing', fleetOf(...many))).toHaveLength(10)
  })

  it('goes by the slug of a tenant as well', () => {
    const schema = parseSchemaName('t_0001')
    const row = { id: '1', slug: 'acme', name: '', schema, metadata: {}, createdAt: new Date(0) }
    const tenant: FleetSchema = { schema, kind: 'tenant', tenant: { ...row, status: 'active' } }
    expect(nearestSchemas('acne', [tenant])).toEqual(['t_0001'])
  })
})
