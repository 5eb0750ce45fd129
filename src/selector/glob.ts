/** Tells whether a text is a glob: `*` stands for any characters, `?` for one. */
export function isGlob(text: string): boolean {
  return /[*?]/.test(text)
}

/** Tells whether a whole text matches a glob. Goes back to the last `*` only, so it stays quick. */
export function matchesGlob(glob: string, text: string): boolean {
  let at = 0
  let from = 0
  let star = -1
  let resume = 0
  while (from < text.length) {
    const sign = glob[at]
    if (sign === '*') {
      star = at
      resume = from
      at += 1
    } else if (sign === '?' || sign === text[from]) {
      at += 1
      from += 1
    } else if (star >= 0) {
      resume += 1
      from = resume
      at = star + 1
    } else return false
  }
  return /^\**$/.test(glob.slice(at))
}
