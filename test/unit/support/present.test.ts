import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { isError, reasonOf } from '../../../src/support/is-error.js'
import { readIfThere } from '../../../src/support/missing-file.js'
import { present } from '../../../src/support/present.js'

describe('present', () => {
  it('hands over what is there, however empty, and nothing else', () => {
    expect([present(0), present(''), present(false)]).toEqual([0, '', false])
    expect(() => present(undefined)).toThrow(TypeError)
    expect(() => present(null)).toThrow('a mistake of tenantry')
  })
})

describe('reasonOf', () => {
  it('is the message of an error, and else what was thrown', () => {
    expect(reasonOf(new RangeError('too far'))).toBe('too far')
    expect(reasonOf('no')).toBe('no')
    expect(reasonOf(undefined)).toBe('undefined')
    expect(isError('no')).toBe(false)
  })
})

describe('readIfThere', () => {
  it('gives nothing for a file that is missing, and fails with what it cannot read', async () => {
    expect(await readIfThere('/nowhere/at/all')).toBeUndefined()
    await expect(readIfThere(tmpdir())).rejects.toMatchObject({ code: 'EISDIR' })
  })
})
