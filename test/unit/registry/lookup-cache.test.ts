import { EventEmitter, once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { lookupCache } from '../../../src/registry/lookup-cache.js'

const options = { maxEntries: 10, ttlMs: 60_000 }

describe('lookupCache', () => {
  it('looks a key up once, however many ask at the same time', async () => {
    let lookups = 0
    const cache = lookupCache(options, async (key) => `${key} ${(lookups += 1)}`)
    expect(await Promise.all([cache.get('a'), cache.get('a'), cache.get('a')])).toEqual([
      'a 1',
      'a 1',
      'a 1',
    ])
    expect(await cache.get('a')).toBe('a 1')
  })

  it('remembers that there is nothing', async () => {
    let lookups = 0
    const cache = lookupCache(options, async () => {
      lookups += 1
      return undefined
    })
    expect([await cache.get('a'), await cache.get('a')]).toEqual([undefined, undefined])
    expect(lookups).toBe(1)
  })

  it('looks up again what it was told to forget', async () => {
    let lookups = 0
    const cache = lookupCache(options, async () => (lookups += 1))
    await cache.get('a')
    cache.forget('a')
    expect(await cache.get('a')).toBe(2)
    cache.clear()
    expect(await cache.get('a')).toBe(3)
  })

  it('does not remember a failure', async () => {
    let lookups = 0
    const cache = lookupCache(options, async () => {
      lookups += 1
      if (lookups === 1) throw new Error('lost connection')
      return 'found'
    })
    await expect(cache.get('a')).rejects.toThrow('lost connection')
    expect(await cache.get('a')).toBe('found')
  })

  it('forgets the least recently used key when it is full', async () => {
    const lookups: string[] = []
    const cache = lookupCache({ ...options, maxEntries: 2 }, async (key) => lookups.push(key))
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await cache.get(key)
    expect(lookups).toEqual(['a', 'b', 'c', 'b'])
  })

  it('answers those who asked before a key was forgotten, but does not remember the answer', async () => {
    const database = new EventEmitter()
    let value = 'old'
    const cache = lookupCache(options, async () => {
      const read = value
      await once(database, 'answer')
      return read
    })
    const before = cache.get('a')
    value = 'new'
    cache.forget('a')
    const after = cache.get('a')
    database.emit('answer')
    expect(await Promise.all([before, after])).toEqual(['old', 'new'])
    expect(cache.peek('a')).toBe('new')
  })
})
