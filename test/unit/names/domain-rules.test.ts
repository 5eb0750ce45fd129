import { describe, expect, it } from 'vitest'
import { type HostName, parseDomain } from '../../../src/names/domain-name.js'
import {
  type DomainRules,
  isBelowBase,
  keptDomain,
  requestHost,
  slugOfHost,
} from '../../../src/names/domain-rules.js'

const host = (text: string): HostName => parseDomain(text).host
const rules: DomainRules = { bases: [host('app.com'), host('app.org')], ignoreWww: true }
const plain: DomainRules = { ...rules, ignoreWww: false }

describe('requestHost', () => {
  it('takes www away where the service wants that', () => {
    expect(requestHost('www.acme.com:443', rules)).toBe('acme.com')
    expect(requestHost('WWW.Acme.com', plain)).toBe('www.acme.com')
  })

  it('takes www away at the begin only, and only if something is left', () => {
    expect(requestHost('mywww.acme.com', rules)).toBe('mywww.acme.com')
    expect(requestHost('a.www.acme.com', rules)).toBe('a.www.acme.com')
    expect(requestHost('www', rules)).toBe('www')
    expect(requestHost('www.www.acme.com', rules)).toBe('www.acme.com')
  })

  it.each([
    undefined,
    7,
    '',
    'a b',
    `${'a.'.repeat(126)}ab:65535`,
    `${'a.'.repeat(127)}abcdef:65535`,
  ])('knows no host in %j, unless it is one', (input) => {
    const longest = `${'a.'.repeat(126)}a`
    expect(requestHost(input, rules)).not.toBe(longest)
    expect(requestHost(`${longest}:65535`, rules)).toBe(longest)
  })
})

describe('keptDomain', () => {
  it('keeps path and host, without www where the service wants that', () => {
    expect(keptDomain('www.acme.com/loans', rules)).toEqual({ host: 'acme.com', path: '/loans' })
    expect(keptDomain('www.acme.com/loans', plain)).toEqual({
      host: 'www.acme.com',
      path: '/loans',
    })
  })
})

describe('slugOfHost', () => {
  it('is the one label below any of the bases', () => {
    expect(slugOfHost(host('acme.app.com'), rules)).toBe('acme')
    expect(slugOfHost(host('acme.app.org'), rules)).toBe('acme')
  })

  it.each(['app.com', 'a.b.app.com', 'acme.other.com', 'acmeapp.com', 'acme.app.com.org'])(
    'is nothing for %s',
    (text) => {
      expect(slugOfHost(host(text), rules)).toBeUndefined()
    },
  )
})

describe('isBelowBase', () => {
  it('is true of the bases and all below them', () => {
    for (const text of ['app.com', 'app.org', 'acme.app.org', 'a.b.app.com']) {
      expect(isBelowBase(host(text), rules), text).toBe(true)
    }
    for (const text of ['acme.com', 'myapp.com', 'app.com.org']) {
      expect(isBelowBase(host(text), rules), text).toBe(false)
    }
  })
})
