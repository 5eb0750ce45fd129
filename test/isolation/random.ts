/** Random choices that are the same each time for one seed. */
export interface Random {
  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number
  pick<T>(list: readonly T[]): T
  /** True so many times of a hundred. */
  percent(times: number): boolean
}

/**
 * The generator mulberry32, which needs a state of 32 bits only.
 *
 * @see https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
 */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return { below, pick: (list) => pickAt(list, below(list.length)), percent: (n) => below(100) < n }
}

function pickAt<T>(list: readonly T[], index: number): T {
  const found = list.at(index)
  if (found === undefined) throw new Error('There is nothing to pick from.')
  return found
}
