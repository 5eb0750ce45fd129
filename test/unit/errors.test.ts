import { describe, expect, it, vi } from 'vitest'
import { ERROR_CODES, TenantryError, isTenantryError } from '../../src/errors.js'

/** What another copy of the package would throw. */
function foreign(code: unknown): object {
  return Object.defineProperty({ code }, Symbol.for('tenantry.error'), { value: true })
}

describe('TenantryError', () => {
  it('carries its code, its facts and its cause', () => {
    const cause = new Error('below')
    const error = new TenantryError('MIGRATION_FAILED', 'A sentence.', {
      schema: 'tenant_acme',
      line: 7,
      sqlState: '42P01',
      cause,
    })
    expect(error).toMatchObject({ schema: 'tenant_acme', line: 7, sqlState: '42P01' })
    expect([error.code, error.message, error.cause]).toEqual([
      'MIGRATION_FAILED',
      'A sentence.',
      cause,
    ])
  })

  it('has no cause and no fact that nobody gave', () => {
    const error = new TenantryError('RUN_FAILED', 'A sentence.')
    expect('cause' in error).toBe(false)
    expect(Object.keys(error)).toEqual(['code'])
  })

  it('begins its stack with its name and sentence', () => {
    const error = new TenantryError('RUN_FAILED', 'A sentence.')
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe('TenantryError')
    expect(String(error)).toBe('TenantryError: A sentence.')
  })

  it('keeps its brand out of what is logged as JSON', () => {
    const error = new TenantryError('TENANT_NOT_FOUND', 'A sentence.', { tenant: 'acme' })
    expect(JSON.parse(JSON.stringify(error))).toEqual({ code: 'TENANT_NOT_FOUND', tenant: 'acme' })
  })
})

describe('isTenantryError', () => {
  it('knows an error of this copy, of any code or of the given one', () => {
    const error: unknown = new TenantryError('TENANT_EXISTS', 'A sentence.')
    expect(isTenantryError(error)).toBe(true)
    expect(isTenantryError(error, 'TENANT_EXISTS')).toBe(true)
    expect(isTenantryError(error, 'TENANT_NOT_FOUND')).toBe(false)
  })

  it('knows an error of another copy by its brand', () => {
    expect(isTenantryError(foreign('TENANT_EXISTS'))).toBe(true)
    expect(isTenantryError(foreign('TENANT_EXISTS'), 'TENANT_EXISTS')).toBe(true)
    expect(isTenantryError(foreign('TENANT_EXISTS'), 'TENANT_NOT_FOUND')).toBe(false)
  })

  it('knows an error of a second evaluation of the module', async () => {
    vi.resetModules()
    const copy: typeof import('../../src/errors.js') = await import('../../src/errors.js')
    const error = new copy.TenantryError('POOL_STARVED', 'A sentence.')
    expect(error).not.toBeInstanceOf(TenantryError)
    expect(isTenantryError(error, 'POOL_STARVED')).toBe(true)
  })

  it.each([
    ['an error of somebody else with one of our codes', { code: 'TENANT_EXISTS' }],
    ['a plain error', new Error('TENANT_EXISTS')],
    ['a string', 'TENANT_EXISTS'],
    ['null', null],
    ['undefined', undefined],
    ['a function', () => {}],
  ])('does not know %s', (_, error) => {
    expect(isTenantryError(error)).toBe(false)
  })
})

describe('ERROR_CODES', () => {
  it('is in alphabetical order and names each code once', () => {
    expect(ERROR_CODES).toEqual([...new Set(ERROR_CODES)].toSorted())
  })
})
