export { directory } from './migration/directory-source.js'
export { lint } from './migration/lint/lint.js'
export type { LintFinding, LintOptions } from './migration/lint/lint.js'
export type { LintLevel } from './migration/lint/rule.js'
export { LINT_RULES } from './migration/lint/rules.js'
export type {
  Migration,
  MigrationContext,
  MigrationFunction,
  MigrationSource,
} from './migration/source.js'
