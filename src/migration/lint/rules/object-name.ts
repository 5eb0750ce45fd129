import { listIn, nodeIn, textIn, textsOf } from '../node.js'
import type { Visit } from '../walk.js'

/** Where statements keep the name of what they make or change, if it is no table. */
const NAME_FIELDS: Readonly<Record<string, string>> = {
  CreateEnumStmt: 'typeName',
  CreateRangeStmt: 'typeName',
  AlterEnumStmt: 'typeName',
  AlterTypeStmt: 'typeName',
  CreateDomainStmt: 'domainname',
  AlterDomainStmt: 'typeName',
  CreateFunctionStmt: 'funcname',
  DefineStmt: 'defnames',
  CreateStatsStmt: 'defnames',
  AlterStatsStmt: 'defnames',
  CommentStmt: 'object',
  RenameStmt: 'object',
  AlterObjectSchemaStmt: 'object',
  AlterOwnerStmt: 'object',
}
/** What is named by its table's name and one of its own. */
const PARTS_OF_TABLES =
  /^OBJECT_(COLUMN|TABCONSTRAINT|TRIGGER|POLICY|RULE|ATTRIBUTE|DOMCONSTRAINT)$/
/** What is in no schema, or is a schema itself. */
const OUTSIDE =
  /^OBJECT_(SCHEMA|EXTENSION|DATABASE|ROLE|TABLESPACE|LANGUAGE|FDW|FOREIGN_SERVER|PUBLICATION|SUBSCRIPTION|CAST|EVENT_TRIGGER|ACCESS_METHOD|OPCLASS|OPFAMILY)$/

const SCHEMA_CHANGES: ReadonlySet<string> = new Set(['CommentStmt', 'AlterOwnerStmt'])

/** The schema in the name of an object, other than a table, that a statement makes or changes. */
export function namedSchema({ kind, node }: Visit): string | undefined {
  const type = typeOf(node)
  if (kind === 'GrantStmt' && isWholeSchema(node)) return textsOf(node['objects'])[0]
  if (SCHEMA_CHANGES.has(kind) && type === 'OBJECT_SCHEMA') return textsOf(node['object'])[0]
  if (OUTSIDE.test(type)) return undefined
  const parts = PARTS_OF_TABLES.test(type) ? 2 : 1
  for (const names of namesIn(kind, node)) {
    if (names.length > parts) return names.at(-parts - 1)
  }
  return undefined
}

function typeOf(node: Visit['node']): string {
  const type = ['removeType', 'objtype', 'renameType', 'objectType']
    .map((field) => textIn(node, field))
    .find((found) => found !== undefined)
  return type ?? ''
}

function namesIn(kind: string, node: Visit['node']): readonly (readonly string[])[] {
  if (kind === 'DropStmt' || kind === 'GrantStmt') return listIn(node, 'objects').map(textsOf)
  if (kind === 'AlterFunctionStmt') return [textsOf(nodeIn(node, 'func')?.['objname'])]
  const field = NAME_FIELDS[kind]
  return field === undefined ? [] : [textsOf(node[field])]
}

/** `grant … on schema x`, and `grant … on all tables in schema x`. */
function isWholeSchema(node: Visit['node']): boolean {
  return node['targtype'] === 'ACL_TARGET_ALL_IN_SCHEMA' || node['objtype'] === 'OBJECT_SCHEMA'
}
