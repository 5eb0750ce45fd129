/**
 * A condition that is answered in text. A service's pool may have type parsers of its own, and what
 * one makes of a boolean nobody knows: a lock that is taken would not be seen.
 */
export function yesIf(condition: string): string {
  return `case when ${condition} then 'yes' end`
}

/** Whether a condition of {@link yesIf} holds. */
export function isYes(answer: unknown): boolean {
  return answer === 'yes'
}
