import { lineAt } from '../../support/line.js'
import { LINT_RULES } from './rules.js'

/** What the comments of a file switch off. */
export interface Suppressions {
  readonly covers: (rule: string, line: number) => boolean
  /** Names in the comments that no rule has. */
  readonly unknown: readonly { readonly name: string; readonly line: number }[]
}

interface Comment {
  /** One-based line that it is about; without one it is about the whole file. */
  readonly target: number | undefined
  readonly line: number
  readonly names: readonly string[]
}

const COMMENT = /^[^\n']*?--[ \t]*tenantry-lint-disable(-next-line)?(?![\w-])([^\n]*)$/gm
const BLANK = /^\s*(--.*)?$/

/** Reads the comments `tenantry-lint-disable` and `tenantry-lint-disable-next-line`. */
export function suppressionsIn(sql: string): Suppressions {
  const comments = [...sql.matchAll(COMMENT)].map((match): Comment => {
    const [, next, rest = ''] = match
    const line = lineAt(sql, match.index)
    return { target: next ? lineAfter(sql, line) : undefined, line, names: namesIn(rest) }
  })
  return {
    covers: (rule, line) =>
      comments.some(
        ({ target, names }) => names.includes(rule) && (target === undefined || target === line),
      ),
    unknown: comments.flatMap(({ names, line }) =>
      names.filter((name) => !LINT_RULES.includes(name)).map((name) => ({ name, line })),
    ),
  }
}

/** What follows another `--` says why. */
function namesIn(rest: string): readonly string[] {
  const [names = ''] = rest.split('--')
  const found = names.split(/[\s,]+/).filter((name) => name !== '')
  return found.length === 0 ? [''] : found
}

/** The next line that holds more than a comment. */
function lineAfter(sql: string, line: number): number {
  const lines = sql.split('\n')
  const index = lines.findIndex((text, at) => at >= line && !BLANK.test(text))
  return index + 1
}
