import { knexBridge } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { type SchemaRouterOptions, resolveOptions } from '../../../src/router/options.js'
import { thrownBy } from '../thrown.js'

const connectionString = 'postgres://localhost:1/app'

const resolve = (options: object): ReturnType<typeof resolveOptions> =>
  resolveOptions({ connectionString, ...options } satisfies SchemaRouterOptions)

describe('the option spares', () => {
  it('is 0 when nothing is said', () => {
    expect(resolve({}).spareCount).toBe(0)
    expect(resolve({ spares: 3 }).spareCount).toBe(3)
  })

  it.each([-1, 1.5, '3', true, null, NaN])('refuses %j', (spares) => {
    expect(thrownBy(() => resolve({ spares }))).toMatchObject({
      code: 'OPTIONS_INVALID',
      option: 'spares',
    })
  })

  it('refuses to make schemas ahead where they are made elsewhere', () => {
    const schemas = { tenants: { autoCreateSchema: false } }
    expect(thrownBy(() => resolve({ spares: 1, schemas }))).toMatchObject({
      code: 'OPTIONS_INVALID',
      option: 'spares',
    })
    expect(resolve({ spares: 0, schemas }).spareCount).toBe(0)
  })

  it('refuses to have another tool migrate before there is a tenant', () => {
    const migrations = knexBridge({ knex: () => ({}), directory: 'migrations' } as never)
    expect(
      thrownBy(() => resolve({ spares: 1, schemas: { tenants: { migrations } } })),
    ).toMatchObject({ code: 'OPTIONS_INVALID', option: 'spares' })
  })

  it('refuses a prefix that leaves no room for the name of a spare', () => {
    const schemas = { tenants: { prefix: 'x'.repeat(45) } }
    expect(thrownBy(() => resolve({ spares: 1, schemas }))).toMatchObject({ code: 'NAME_INVALID' })
    expect(resolve({ schemas }).spareCount).toBe(0)
    const shorter = { tenants: { prefix: 'x'.repeat(44) } }
    expect(resolve({ spares: 1, schemas: shorter }).spareCount).toBe(1)
  })
})
