/** Names that Windows keeps for devices, whatever stands behind a dot. */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\.|$)/i

/** What some file system refuses in a name, and the sign of the code itself. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const REFUSED = /[\u0000-\u001f\u007f%"*/:<>?\\|]|^[. ]|[. ]$/gu

/** What no file system takes for anything else. */
const CERTAIN = /[^a-z0-9_-]/gu

/**
 * Names of files for tables, in the same order, which every file system takes and keeps apart. A
 * character that one may refuse is written as in a URL, `%2F`; and so is all but a-z, 0-9, `_` and
 * `-` of names that a file system may take for the same, such as those that differ by case.
 *
 * @see https://learn.microsoft.com/windows/win32/fileio/naming-a-file
 */
export function fileNames(tables: readonly string[], ending: string): readonly string[] {
  const alike = new Map<string, number>()
  for (const table of tables) alike.set(folded(table), (alike.get(folded(table)) ?? 0) + 1)
  return tables.map((table) => {
    const isAlone = alike.get(folded(table)) === 1
    const name = isAlone ? table.replaceAll(REFUSED, coded) : table.replaceAll(CERTAIN, coded)
    return `${RESERVED.test(name) ? coded(name.slice(0, 1)) + name.slice(1) : name}.${ending}`
  })
}

/** What file systems that are blind to case, or to how an accent is written, make of a name. */
function folded(name: string): string {
  return name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')
}

function coded(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('')
}
