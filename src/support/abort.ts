/**
 * Awaits work that others may wait for as well: a signal ends this wait, not the work.
 *
 * @throws the signal's reason
 */
export async function untilAborted<T>(
  work: T | Promise<T>,
  signal: AbortSignal | undefined,
  onAbort: (reason: unknown) => void = () => {},
): Promise<T> {
  if (signal === undefined) return work
  signal.throwIfAborted()
  const over = new AbortController()
  const aborted = new Promise<never>((_, reject) => {
    const abort = (): void => {
      onAbort(signal.reason)
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true, signal: over.signal })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    over.abort()
  }
}

/**
 * Does work that a signal stops in the middle: what the work throws then is how it was stopped, and
 * the caller is told why.
 *
 * @throws the signal's reason, or what `work` throws
 */
export async function unlessAborted<R>(
  signal: AbortSignal | undefined,
  work: () => Promise<R>,
): Promise<R> {
  try {
    return await work()
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
