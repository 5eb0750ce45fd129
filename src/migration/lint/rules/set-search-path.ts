import { constantText, lastText, listIn, textIn } from '../node.js'
import { type Rule, nodeRule } from '../rule.js'
import type { Visit } from '../walk.js'

const OWN_PATH = new Set(['', 'pg_catalog', 'pg_temp'])
const INSTEAD =
  'Remove it: the path is set for each schema before the file runs, and what follows would go elsewhere.'

/** Statements that put another path in the place of the schema's own. */
export const setSearchPath: Rule = nodeRule('set-search-path', 'error', (visit, { mayRead }) => {
  const { kind, node } = visit
  if (kind === 'DiscardStmt') return `DISCARD changes the search_path. ${INSTEAD}`
  if (kind === 'FuncCall')
    return setsPath(node) ? `This sets the search_path. ${INSTEAD}` : undefined
  if (kind !== 'VariableSetStmt' || !isPath(node)) return undefined
  if (visit.parent?.kind !== 'DefElem') return `This sets the search_path. ${INSTEAD}`
  const names = listIn(node, 'args').map((each) => constantText(each) ?? '')
  const other = names.find((name) => !OWN_PATH.has(name) && !mayRead(name))
  if (other === undefined) return undefined
  return (
    `The routine would run in schema "${other}" for every tenant. Write "set search_path from ` +
    'current", which keeps the path of the schema that is migrated.'
  )
})

function isPath(node: Visit['node']): boolean {
  return textIn(node, 'name') === 'search_path' || node['kind'] === 'VAR_RESET_ALL'
}

function setsPath(node: Visit['node']): boolean {
  if (lastText(node['funcname']) !== 'set_config') return false
  return constantText(listIn(node, 'args')[0])?.toLowerCase() === 'search_path'
}
