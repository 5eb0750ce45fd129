import { vi } from 'vitest'
import { Generations } from '../../src/support/generations.js'

/** Collects every bounded map that something is kept in while `work` runs. */
export async function keptIn(
  work: () => Promise<void>,
): Promise<ReadonlySet<Generations<unknown>>> {
  const kept = new Set<Generations<unknown>>()
  const { set } = Generations.prototype
  const spy = vi.spyOn(Generations.prototype, 'set').mockImplementation(function (
    this: Generations<unknown>,
    key,
    value,
  ) {
    kept.add(this)
    set.call(this, key, value)
  })
  await work().finally(() => spy.mockRestore())
  return kept
}
