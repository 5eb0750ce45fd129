import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Generations } from '../../../src/support/generations.js'

describe('Generations', () => {
  it('never holds more than its bound, whatever is asked for and kept', () => {
    const act = fc.record({
      kind: fc.constantFrom('get', 'set', 'set', 'delete'),
      key: fc.integer({ min: 0, max: 60 }).map(String),
    })
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), fc.array(act), (max, acts) => {
        const kept = new Generations<string>(max)
        const model = new Map<string, string>()
        for (const { kind, key } of acts) {
          const found = kept.get(key)
          expect([undefined, model.get(key)]).toContain(found)
          if (kind === 'set') {
            kept.set(key, `value of ${key}`)
            model.set(key, `value of ${key}`)
          } else if (kind === 'delete') {
            kept.delete(key)
            model.delete(key)
          }
          expect(kept.size).toBeLessThanOrEqual(max)
        }
      }),
    )
  })

  it('keeps what was used last, up to half of its bound', () => {
    const kept = new Generations<number>(10)
    for (let at = 0; at < 100; at += 1) kept.set(String(at), at)
    expect([95, 96, 97, 98, 99].map((at) => kept.get(String(at)))).toEqual([95, 96, 97, 98, 99])
    expect(kept.get('0')).toBeUndefined()
  })

  it('keeps what is asked for again and again through any number of others', () => {
    const kept = new Generations<number>(10)
    kept.set('asked for', 1)
    kept.set('forgotten', 2)
    for (let at = 0; at < 100; at += 1) {
      kept.set(String(at), at)
      expect(kept.get('asked for')).toBe(1)
    }
    expect(kept.get('forgotten')).toBeUndefined()
  })

  it('holds one value for a key, the newest', () => {
    const kept = new Generations<number>(4)
    for (const value of [1, 2, 3]) {
      kept.set('key', value)
      kept.set(`other ${value}`, 0)
    }
    expect(kept.get('key')).toBe(3)
    kept.delete('key')
    expect(kept.get('key')).toBeUndefined()
  })
})
