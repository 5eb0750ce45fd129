import { EventEmitter, once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { workQueue } from '../../../src/support/work-queue.js'

const never = (): boolean => false
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

describe('workQueue', () => {
  it('begins the items in their order', async () => {
    const begun: number[] = []
    await workQueue(upTo(20), { concurrency: 3, stopped: never }, async (item) => {
      begun.push(item)
      await turn()
    })
    expect(begun).toEqual(upTo(20))
  })

  it('works on exactly as many items at a time as it is told, and on each once', async () => {
    const input = [fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 8 })] as const
    await fc.assert(
      fc.asyncProperty(...input, async (count, concurrency) => {
        const done: number[] = []
        let running = 0
        let most = 0
        await workQueue(upTo(count), { concurrency, stopped: never }, async (item) => {
          running += 1
          most = Math.max(most, running)
          await turn()
          running -= 1
          done.push(item)
        })
        expect(done.toSorted((a, b) => a - b)).toEqual(upTo(count))
        expect(most).toBe(Math.min(count, concurrency))
      }),
      { numRuns: 50 },
    )
  })

  it('takes the next item as soon as one is done, not batch by batch', async () => {
    const done: number[] = []
    const last = new EventEmitter()
    await workQueue(upTo(5), { concurrency: 2, stopped: never }, async (item) => {
      if (item === 0) await once(last, 'done')
      done.push(item)
      if (item === 4) last.emit('done')
    })
    expect(done).toEqual([1, 2, 3, 4, 0])
  })

  it('begins nothing more once it is stopped, and finishes what runs', async () => {
    const begun: number[] = []
    const finished: number[] = []
    let stop = false
    await workQueue(upTo(9), { concurrency: 2, stopped: () => stop }, async (item) => {
      begun.push(item)
      if (item === 3) stop = true
      await turn()
      finished.push(item)
    })
    expect(begun).toEqual([0, 1, 2, 3])
    expect(finished.toSorted((a, b) => a - b)).toEqual(begun)
  })

  it('begins nothing when it is stopped before', async () => {
    const begun: number[] = []
    const stopped = { concurrency: 2, stopped: () => true }
    await workQueue(upTo(3), stopped, async (item) => void begun.push(item))
    expect(begun).toEqual([])
  })

  it('rejects with the error of the work, and begins nothing more', async () => {
    const begun: number[] = []
    const queue = workQueue(upTo(9), { concurrency: 2, stopped: never }, async (item) => {
      begun.push(item)
      await turn()
      throw new Error(`item ${item}`)
    })
    await expect(queue).rejects.toThrow('item 0')
    expect(begun).toEqual([0, 1])
  })

  it('rejects only when nothing runs any more', async () => {
    const finished: number[] = []
    const queue = workQueue(upTo(2), { concurrency: 2, stopped: never }, async (item) => {
      if (item === 0) throw new Error('at once')
      for (let turns = 0; turns < 5; turns += 1) await turn()
      finished.push(item)
    })
    await expect(queue).rejects.toThrow('at once')
    expect(finished).toEqual([1])
  })

  it('makes no more workers than there are items', async () => {
    const concurrency = Number.MAX_SAFE_INTEGER
    const done: number[] = []
    await workQueue(upTo(3), { concurrency, stopped: never }, async (item) => void done.push(item))
    expect(done).toEqual([0, 1, 2])
  })
})
