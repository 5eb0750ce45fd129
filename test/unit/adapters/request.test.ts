import { SchemaRouter, isTenantryError } from 'tenantry'
import { byHeader, byPath, bySubdomain, firstOf, requestGate, serveTenants } from 'tenantry/http'
import { describe, expect, it } from 'vitest'
import { addressOn, pathOfTarget, withoutPrefix } from '../../../src/adapters/request/address.js'

const router = new SchemaRouter({ connectionString: 'postgres://localhost:1/nowhere' })
const untyped = (value: unknown): never => value as never

describe('the options of an adapter', () => {
  it.each([
    ['a misspelt option', () => requestGate(router, untyped({ stripPrefixes: true }))],
    ['a tenant that is no resolver', () => requestGate(router, untyped({ tenant: 'acme' }))],
    ['a text for a flag', () => requestGate(router, untyped({ redirect: 'no' }))],
    ['another word', () => requestGate(router, untyped({ refusals: 'ignore' }))],
    ['a misspelt option of http', () => serveTenants(router, untyped({ onErrors: 1 }), () => {})],
    ['no resolver', () => firstOf()],
    ['a resolver by its name', () => firstOf(untyped('byHost'))],
    ['no header', () => byHeader('x tenant')],
    ['a path with a final slash', () => byPath({ below: '/t/' })],
    ['a misspelt option of a resolver', () => bySubdomain(untyped({ bases: 'a.test' }))],
  ])('refuse %s', (_name, make) => {
    expect(codeOf(make)).toBe('OPTIONS_INVALID')
  })
})

function codeOf(fn: () => unknown): string | undefined {
  try {
    fn()
  } catch (error) {
    return isTenantryError(error) ? error.code : String(error)
  }
  return undefined
}

describe('pathOfTarget', () => {
  it.each([
    ['/loans?a=1', '/loans?a=1'],
    ['http://acme.test/loans?a=1', '/loans?a=1'],
    ['http://acme.test', '/'],
    ['http://acme.test?a=/b', '/?a=/b'],
    ['*', '/'],
    ['acme.test:443', '/'],
    ['//acme.test/loans', '//acme.test/loans'],
    [undefined, '/'],
  ])('reads %s as %s', (target, path) => {
    expect(pathOfTarget(target)).toBe(path)
  })
})

describe('withoutPrefix', () => {
  it.each([
    ['/beta/loans?a=1', '/loans?a=1'],
    ['/beta', '/'],
    ['/beta?a=1', '/?a=1'],
    ['/beta/', '/'],
    ['/beta//evil.test', '//evil.test'],
  ])('leaves of %s %s', (url, rest) => {
    expect(withoutPrefix(url, '/beta')).toBe(rest)
  })
})

describe('addressOn', () => {
  const domain = { tenant: 'acme', host: 'acme.test', path: '', primary: true, verified: true }
  const asked = { request: undefined, method: 'GET', url: '/loans?a=1' }

  it('keeps the port of the host, but not one that a proxy was asked by', () => {
    const headers = { host: 'old.test:8080' }
    expect(addressOn(domain, { ...asked, headers }, '')).toBe('//acme.test:8080/loans?a=1')
    const proxied = { ...headers, 'x-forwarded-host': 'old.test' }
    expect(addressOn(domain, { ...asked, headers: proxied }, '')).toBe('//acme.test/loans?a=1')
  })

  it('puts one prefix in the place of another', () => {
    const to = { ...domain, path: '/acme' }
    const from = { ...asked, headers: {}, url: '/beta/loans' }
    expect(addressOn(to, from, '/beta')).toBe('//acme.test/acme/loans')
    expect(addressOn(to, { ...from, url: '/beta' }, '/beta')).toBe('//acme.test/acme')
  })
})
