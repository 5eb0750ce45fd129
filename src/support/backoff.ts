/**
 * How long to wait before the next attempt, in milliseconds: doubled each time, with jitter, so
 * that those who collided do not meet again.
 */
export function backoffMs(attempt: number, baseMs: number, maxMs: number): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** (attempt - 1))
  return ceiling / 2 + (Math.random() * ceiling) / 2
}
