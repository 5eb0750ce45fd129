/** What somebody wants who presses Ctrl-C during a run. */
export interface Interrupts {
  /** Aborted by the first Ctrl-C or SIGTERM: what runs is finished. */
  readonly signal: AbortSignal
  /** Aborted by the second: what runs is cancelled. The third ends the process. */
  readonly cancel: AbortSignal
}

/** Listens for interrupts, and has it said what the first one did and what the next one will do. */
export function listenForInterrupts(note: (line: string) => void): Interrupts {
  const [stop, cancel] = [new AbortController(), new AbortController()]
  const onFirst = (): void => {
    note('Stopping: what runs is finished. Once more cancels it.')
    stop.abort()
  }
  const onSecond = (): void => {
    note('Cancelling what runs. Once more ends at once.')
    cancel.abort()
  }
  const hear = (): void => {
    if (!stop.signal.aborted) return onFirst()
    // Later, because others who listen to this very signal end the process once we do not.
    setImmediate(() => {
      for (const name of SIGNALS) process.off(name, hear)
    })
    onSecond()
  }
  for (const name of SIGNALS) process.on(name, hear)
  return { signal: stop.signal, cancel: cancel.signal }
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
