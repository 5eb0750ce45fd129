/** How a {@link workQueue} runs. */
export interface WorkQueueOptions {
  /** How many items are worked on at the same time. */
  readonly concurrency: number
  /** Asked before each item; once it answers `true`, no further item is begun. */
  readonly stopped: () => boolean
}

/**
 * Works through `items` in their order, a few at a time, and resolves when the last one is done.
 *
 * `work` is expected not to reject; if it does, the queue begins no further item, waits for those
 * that run, and rejects.
 */
export async function workQueue<T>(
  items: readonly T[],
  options: WorkQueueOptions,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  const failures: unknown[] = []
  const worker = async (): Promise<void> => {
    while (failures.length === 0 && !options.stopped()) {
      const next = queue.next()
      if (next.done === true) return
      await work(next.value)
    }
  }
  const guarded = (): Promise<unknown> => worker().catch((error: unknown) => failures.push(error))
  const workers = Math.min(options.concurrency, items.length)
  await Promise.all(Array.from({ length: workers }, guarded))
  if (failures.length > 0) throw failures[0]
}
