import { constantText, lastText, textIn } from '../node.js'
import type { Hit, LintFile, Rule } from '../rule.js'
import type { Statement, Visit } from '../walk.js'

/** A new value of an enum that its own file already uses. */
export const enumValueUsed: Rule = { name: 'enum-value-used', level: 'error', check }

function check({ statements, visits }: LintFile): readonly Hit[] {
  return statements.flatMap((statement, index) => {
    const value = addedValue(statement)
    if (value === undefined || isMadeBefore(statement, statements.slice(0, index))) return []
    const later = new Set(statements.slice(index + 1))
    return visits
      .filter((visit) => later.has(visit.statement) && uses(visit, value))
      .map((at) => ({
        at,
        message:
          `PostgreSQL refuses the new enum value '${value}' in the transaction that adds it. ` +
          'Use it in a later release, when all schemas have the value, or add it in a file with ' +
          '"-- postgres-migrations disable-transaction".',
      }))
  })
}

/** `rename value` has an old one, and a renamed value may be used at once. */
function addedValue({ kind, node }: Statement): string | undefined {
  return kind === 'AlterEnumStmt' && !('oldVal' in node) ? textIn(node, 'newVal') : undefined
}

/** The values of a type that the same transaction made may be used. */
function isMadeBefore({ node }: Statement, before: readonly Statement[]): boolean {
  const name = lastText(node['typeName'])
  return before.some(
    (each) => each.kind === 'CreateEnumStmt' && lastText(each.node['typeName']) === name,
  )
}

function uses(visit: Visit, value: string): boolean {
  const { kind, node, statement } = visit
  return (
    kind === 'A_Const' &&
    statement.piece.within !== 'routine' &&
    constantText({ A_Const: node }) === value
  )
}
