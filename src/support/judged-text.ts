/** How many texts are remembered, and up to which length. */
const MAX_TEXTS = 500
const MAX_LENGTH = 4_000

/**
 * Remembers what a pure function says of a text: a service sends the same few texts again and again.
 *
 * When there are too many, all are forgotten; keeping count of their use would cost more than it saves.
 */
export function judged<T>(judge: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    const verdict = judge(text)
    if (text.length > MAX_LENGTH) return verdict
    if (known.size >= MAX_TEXTS) known.clear()
    known.set(text, verdict)
    return verdict
  }
}
