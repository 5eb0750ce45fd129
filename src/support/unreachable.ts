/** Closes a switch over a tagged union: the compiler proves that `value` cannot exist. */
export function unreachable(value: never): never {
  throw new TypeError(`unreachable: ${String(value)}`)
}
