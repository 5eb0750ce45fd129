/** A signal that is aborted by the first Ctrl-C or SIGTERM; the second one ends the process. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController()
  for (const name of SIGNALS) process.once(name, () => controller.abort())
  return controller.signal
}

/** Resolves when the process is asked to end, and keeps it alive until then. */
export async function untilInterrupted(): Promise<void> {
  await new Promise<void>((resolve) => {
    // Listening for signals alone does not keep a process alive.
    const alive = setInterval(() => {}, 2 ** 30)
    const end = (): void => {
      clearInterval(alive)
      resolve()
    }
    for (const name of SIGNALS) process.once(name, end)
  })
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
