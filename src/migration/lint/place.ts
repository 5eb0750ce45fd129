import { lineAt } from '../../support/line.js'

/** Where in a file something stands. */
export interface Place {
  /** One-based. */
  readonly line: number
  /** One-based; unknown where a text is put together while it runs. */
  readonly column?: number
}

/** Tells the place in the file for an offset, in UTF-16 units, in a text that is part of it. */
export type Locate = (offset: number) => Place

/** The places of a text that stands in the file as it is, from `origin` on. */
export function verbatim(file: string, origin = 0): Locate {
  return (offset) => {
    const at = origin + offset
    return { line: lineAt(file, at), column: at - file.lastIndexOf('\n', at - 1) }
  }
}

/** The places of a text of which only the first line is known. */
export function fromLine(first: number, text: string): Locate {
  return (offset) => ({ line: first + lineAt(text, offset) - 1 })
}

/** PostgreSQL counts bytes of UTF-8 where JavaScript counts UTF-16 units; tells one from the other. */
export function byteOffsets(text: string): (byte: number) => number {
  const bytes = Buffer.byteLength(text)
  if (bytes === text.length) return (byte) => byte
  const offsets = new Uint32Array(bytes + 1)
  let byte = 0
  let offset = 0
  for (const character of text) {
    const end = byte + Buffer.byteLength(character)
    offsets.fill(offset, byte, end)
    byte = end
    offset += character.length
  }
  offsets[byte] = offset
  return (at) => offsets[at] ?? text.length
}

/** The place of a parser's error is counted in characters from 0. */
export function offsetOfCharacter(text: string, character: number): number {
  return Array.from(text).slice(0, character).join('').length
}
