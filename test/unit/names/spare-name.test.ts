import { describe, expect, it } from 'vitest'
import { isSlug } from '../../../src/names/slug.js'
import { spareName, sparePrefix } from '../../../src/names/spare-name.js'
import { thrownBy } from '../thrown.js'

describe('spareName', () => {
  it('is another one each time, of a form that no tenant has', () => {
    const names = Array.from({ length: 20 }, () => spareName('tenant_'))
    expect(new Set(names).size).toBe(20)
    for (const name of names) {
      expect(name).toMatch(/^tenant__spare_[0-9a-f]{12}$/)
      expect(isSlug(name.slice('tenant_'.length))).toBe(false)
    }
    expect(names.every((name) => name.startsWith(sparePrefix('tenant_')))).toBe(true)
  })

  it('is refused where the prefix leaves no room', () => {
    expect(thrownBy(() => spareName('a'.repeat(44)))).toBeUndefined()
    expect(thrownBy(() => spareName('a'.repeat(45)))).toMatchObject({ code: 'NAME_INVALID' })
  })
})
