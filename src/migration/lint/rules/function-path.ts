import { listIn, optionIn, textIn, unwrap, tableName } from '../node.js'
import type { Hit, LintFile, Rule } from '../rule.js'
import type { Statement, Visit } from '../walk.js'

/** Routines that find their tables by the path of whoever calls them. */
export const functionWithoutSearchPath: Rule = {
  name: 'function-without-search-path',
  level: 'warning',
  check,
}

function check({ visits }: LintFile): readonly Hit[] {
  const passing = new Set(visits.flatMap(passingNames))
  const routines = visits.filter(
    ({ kind, node }) => kind === 'CreateFunctionStmt' && !hasPath(node),
  )
  return routines.flatMap((at): Hit[] => {
    const table = visits.find(
      (visit) => isTableOf(at.statement, visit) && !passing.has(tableName(visit.node)),
    )
    if (!table) return []
    const definer = runsAsOwner(at.node)
    return [{ at, level: definer ? 'warning' : 'note', message: messageFor(table, definer) }]
  })
}

function messageFor({ node }: Visit, definer: boolean): string {
  const name = tableName(node)
  const caller = definer ? 'the caller, who is not its owner' : 'whoever calls it'
  return (
    `The body finds "${name}" by the search_path of ${caller}, which may be another schema's. ` +
    'Add "set search_path from current", which keeps the path of the schema that is migrated.'
  )
}

function hasPath(node: Visit['node']): boolean {
  return listIn(node, 'options')
    .map(unwrap)
    .some((each) => {
      if (each?.node['defname'] !== 'set') return false
      return textIn(unwrap(each.node['arg'])?.node, 'name') === 'search_path'
    })
}

function runsAsOwner(node: Visit['node']): boolean {
  const security = unwrap(optionIn(node, 'options', 'security')?.['arg'])
  return security?.node['boolval'] === true
}

/** A table without a schema in the routine's body. */
function isTableOf(routine: Statement, { kind, node, statement }: Visit): boolean {
  if (kind !== 'RangeVar' || statement.piece.owner !== routine) return false
  return textIn(node, 'schemaname') === undefined && !textIn(node, 'relname')?.startsWith('pg_')
}

/** What a WITH names, or a trigger for the rows of its statement, is found without a path. */
function passingNames({ kind, node }: Visit): readonly string[] {
  const field = { CommonTableExpr: 'ctename', TriggerTransition: 'name' }[kind]
  const name = field && textIn(node, field)
  return name ? [name] : []
}
