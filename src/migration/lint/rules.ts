import type { Rule } from './rule.js'
import { unfilteredCatalog } from './rules/catalog.js'
import { advisoryLock, databaseWide, roles } from './rules/database-wide.js'
import { ddlInDo } from './rules/ddl-in-do.js'
import { dropCascade } from './rules/drop-cascade.js'
import { enumValueUsed } from './rules/enum-value.js'
import { createExtension, dropExtension } from './rules/extension.js'
import { functionWithoutSearchPath } from './rules/function-path.js'
import { qualifiedName } from './rules/qualified-name.js'
import { createSchema, dropSchema } from './rules/schema.js'
import { setSearchPath } from './rules/set-search-path.js'
import { syntaxError } from './rules/syntax-error.js'
import { needsNoTransaction, transactionControl } from './rules/transaction.js'

/** All rules that look at the SQL, by name. */
export const RULES: readonly Rule[] = [
  advisoryLock,
  createExtension,
  createSchema,
  databaseWide,
  ddlInDo,
  dropCascade,
  dropExtension,
  dropSchema,
  enumValueUsed,
  functionWithoutSearchPath,
  needsNoTransaction,
  qualifiedName,
  roles,
  setSearchPath,
  syntaxError,
  transactionControl,
  unfilteredCatalog,
]

/** The rules on what fails in whichever schema it runs; only those are of use for the shared one. */
export const FATAL_RULES: ReadonlySet<string> = new Set(
  [enumValueUsed, needsNoTransaction, syntaxError, transactionControl].map(({ name }) => name),
)

/** What comments that name a rule wrongly are reported under. */
export const UNKNOWN_RULE = 'unknown-rule'

/**
 * The name of every rule, which `docs/lint.md` explains.
 *
 * @example
 * import { LINT_RULES } from 'tenantry/migrate'
 *
 * const isRule = (word: string): boolean => LINT_RULES.includes(word)
 */
export const LINT_RULES: readonly string[] = [...RULES.map(({ name }) => name), UNKNOWN_RULE]
