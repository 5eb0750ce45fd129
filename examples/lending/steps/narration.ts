let number = 0

/** Begins a numbered step. */
export function step(title: string): void {
  console.log(`\n${number}. ${title}`)
  number += 1
}

/** Shows the code or the command that is run. */
export function code(text: string): void {
  console.log(`   > ${text}`)
}

/** Shows what came back, line by line. */
export function result(...lines: readonly string[]): void {
  for (const line of lines) console.log(`     ${line}`)
}

/** The first and the last lines of many. */
export function shortened(lines: readonly string[], first: number, last: number): string[] {
  if (lines.length <= first + last + 1) return [...lines]
  const left = lines.length - first - last
  return [...lines.slice(0, first), `… ${left} more …`, ...lines.slice(lines.length - last)]
}

/** A duration for people. */
export function duration(milliseconds: number): string {
  return milliseconds < 1000
    ? `${Math.round(milliseconds)} ms`
    : `${(milliseconds / 1000).toFixed(1)} s`
}
