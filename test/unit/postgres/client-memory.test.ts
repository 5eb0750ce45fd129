import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSchemaName } from '../../../src/names/schema-name.js'
import { ClientMemory, memoryOf } from '../../../src/postgres/session/client-memory.js'
import { preludeOf } from '../../../src/postgres/statement/prelude.js'

describe('memoryOf', () => {
  it('gives a client the same memory each time, and no other client', () => {
    const [one, other] = [{}, {}]
    expect(memoryOf(one)).toBe(memoryOf(one))
    expect(memoryOf(one)).not.toBe(memoryOf(other))
  })
})

describe('ClientMemory.wireName', () => {
  it('gives a key the same name each time, and no other key', () => {
    const memory = new ClientMemory()
    const name = memory.wireName('a', 10)
    expect(memory.wireName('a', 10)).toBe(name)
    expect(memory.wireName('b', 10)).not.toBe(name)
    expect(memory.takeEvicted()).toEqual([])
  })

  it('lets the name give way that was not used for the longest time', () => {
    const memory = new ClientMemory()
    const [a, b] = [memory.wireName('a', 2), memory.wireName('b', 2)]
    memory.wireName('a', 2)
    memory.wireName('c', 2)
    expect(memory.takeEvicted()).toEqual([b])
    expect(memory.takeEvicted()).toEqual([])
    expect(memory.wireName('a', 2)).toBe(a)
  })

  it('never uses a name again that was given up', () => {
    const memory = new ClientMemory()
    const first = memory.wireName('a', 5)
    memory.forgetStatement('a')
    expect(memory.takeEvicted()).toEqual([first])
    const second = memory.wireName('a', 5)
    expect(memory.forgetStatements()).toEqual([second])
    expect([first, second]).not.toContain(memory.wireName('a', 5))
  })

  it('keeps no more names than its limit, and each is kept or given up', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), fc.integer({ min: 1, max: 6 }), (keys, limit) => {
        const memory = new ClientMemory()
        const given = new Set(keys.map((key) => memory.wireName(String(key), limit)))
        const gone = memory.takeEvicted()
        const kept = memory.forgetStatements()
        expect(kept.length).toBeLessThanOrEqual(limit)
        expect(new Set([...gone, ...kept])).toEqual(given)
        expect(new Set(gone).size).toBe(gone.length)
      }),
    )
  })

  it('forgets nothing for a key that it does not know', () => {
    const memory = new ClientMemory()
    memory.forgetStatement('a')
    expect(memory.takeEvicted()).toEqual([])
    expect(memory.forgetStatements()).toEqual([])
  })
})

describe('ClientMemory.leavings', () => {
  it('is what texts and tags tell, until all is discarded', () => {
    const memory = new ClientMemory()
    memory.noteText('select pg_advisory_lock(1)')
    memory.noteTag('SET', 'set a.b = 1')
    memory.noteTag('SELECT 1', 'select 1')
    expect([...memory.leavings]).toEqual(['lock', 'setting'])
    memory.noteTag('DISCARD ALL', 'discard all')
    expect([...memory.leavings]).toEqual([])
  })

  it('is read from a script as a whole', () => {
    const memory = new ClientMemory()
    memory.noteScript('create table a (id int); set a.b = 1; create temp table b (id int)')
    expect([...memory.leavings].toSorted()).toEqual(['setting', 'temporary'])
  })
})

describe('ClientMemory.preludeBytes', () => {
  const { enter, stay } = preludeOf(parseSchemaName('a'), '"a"')

  it('prepares nothing before the connection is known to be direct', () => {
    const memory = new ClientMemory()
    expect(memory.preludeBytes(enter)).toBe(enter.unnamed)
    memory.direct = false
    expect(memory.preludeBytes(enter)).toBe(enter.unnamed)
  })

  it('prepares each form once on a direct connection', () => {
    const memory = new ClientMemory()
    memory.direct = true
    expect(memory.preludeBytes(enter)).toEqual(enter.prepare)
    expect(memory.preludeBytes(enter)).toBe(enter.execute)
    expect(memory.preludeBytes(stay)).toEqual(stay.prepare)
    expect(memory.preludeBytes(enter)).toBe(enter.execute)
  })

  it('never executes what the server may have dropped', () => {
    const memory = new ClientMemory()
    memory.direct = true
    memory.preludeBytes(enter)
    memory.forgetStatements()
    expect(memory.preludeBytes(enter)).not.toBe(enter.execute)
  })
})
