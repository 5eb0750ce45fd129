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
 * `work` is expected not to reject; if it does, the queue begins no further item and rejects.
 */
export async function workQueue<T>(
  items: Iterable<T>,
  options: WorkQueueOptions,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]()
  let failed = false
  const worker = async (): Promise<void> => {
    while (!failed && !options.stopped()) {
      const next = queue.next()
      if (next.done === true) return
      await work(next.value)
    }
  }
  const guarded = (): Promise<void> =>
    worker().catch((error: unknown) => {
      failed = true
      throw error
    })
  await Promise.all(Array.from({ length: options.concurrency }, guarded))
}
