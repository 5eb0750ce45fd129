/** A text between apostrophes, as the shells of the Bourne family read it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
