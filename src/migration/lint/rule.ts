import type { Migration } from '../source.js'
import type { Place } from './place.js'
import type { Reading } from './piece.js'
import type { Visit } from './walk.js'

/** How bad a finding is. */
export type LintLevel = 'error' | 'warning' | 'note'

/** What a rule is given to look at. */
export interface LintFile extends Reading {
  readonly migration: Migration
  readonly sql: string
  /** Whether reading from the schema is expected: it is on the path, or allowed. */
  readonly mayRead: (schema: string) => boolean
  /** Whether writing to the schema by its name is meant. */
  readonly mayWrite: (schema: string) => boolean
}

/** What a rule has found, at a node or at a place. */
export interface Hit {
  readonly at: Visit | Place
  readonly message: string
  /** Where it differs from the rule's own. */
  readonly level?: LintLevel
}

/** One rule. */
export interface Rule {
  readonly name: string
  /** The highest level of its findings. */
  readonly level: LintLevel
  readonly check: (file: LintFile) => Iterable<Hit>
}

/** A rule that looks at each node by itself. */
export function nodeRule(
  name: string,
  level: LintLevel,
  check: (visit: Visit, file: LintFile) => string | Omit<Hit, 'at'> | undefined,
): Rule {
  return {
    name,
    level,
    check: (file) =>
      file.visits.flatMap((at) => {
        const found = check(at, file)
        if (found === undefined) return []
        return typeof found === 'string' ? [{ at, message: found }] : [{ at, ...found }]
      }),
  }
}
