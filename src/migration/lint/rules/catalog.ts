import { constantText, isNode, lastText, tableName, textIn } from '../node.js'
import type { Hit, LintFile, Rule } from '../rule.js'
import { type Statement, type Visit, above } from '../walk.js'

const CATALOGS: ReadonlySet<string> = new Set(
  'pg_type pg_class pg_constraint pg_proc pg_indexes pg_tables pg_views pg_matviews pg_sequences pg_policies pg_trigger pg_attribute pg_enum'.split(
    ' ',
  ),
)
/** Columns that hold the schema, or its oid. */
const SCHEMA_COLUMN = /^(nspname|schemaname|\w+namespace|\w+_schema)$/
const SCHEMA_FUNCTION =
  /^(current_schemas?|to_reg(class|type|proc|procedure|namespace)|pg_\w+_is_visible)$/
const OBJECT_TYPE = /^reg(class|type|proc|procedure|namespace)$/
const FILTERS: ReadonlySet<string> = new Set(['whereClause', 'quals', 'usingClause'])

/** Look-ups in the catalogs that would find the objects of other schemas. */
export const unfilteredCatalog: Rule = { name: 'unfiltered-catalog', level: 'error', check }

function check({ visits, mayRead }: LintFile): readonly Hit[] {
  const filtered = new Set(visits.filter(isSchemaFilter).flatMap(queriesAbove))
  const unfiltered = visits.filter((visit) => isCatalog(visit) && !filtered.has(queryOf(visit)))
  // Of a query that joins catalogs the first one is enough.
  const lookUps = new Map(unfiltered.toReversed().map((visit) => [queryOf(visit), visit]))
  const fixed = visits.flatMap((at) => {
    const schema = fixedSchema(at)
    return schema === undefined || mayRead(schema) ? [] : [{ at, message: fixedMessage(schema) }]
  })
  return [...[...lookUps.values()].map((at) => ({ at, message: messageFor(at) })), ...fixed]
}

function messageFor({ node }: Visit): string {
  return (
    `This finds objects of all schemas in ${tableName(node)}, so that one ` +
    "of another tenant's is taken for this one's. Compare the schema with current_schema(), or look " +
    "the object up through the path with to_regclass('…') or to_regtype('…')."
  )
}

function fixedMessage(schema: string): string {
  return (
    `This looks into schema "${schema}" whichever schema is migrated. Compare with ` +
    'current_schema() instead.'
  )
}

function isCatalog({ kind, node }: Visit): boolean {
  if (kind !== 'RangeVar') return false
  const schema = textIn(node, 'schemaname')
  const name = tableName(node)
  if (schema === 'information_schema') return name !== 'schemata'
  return (schema === undefined || schema === 'pg_catalog') && CATALOGS.has(name)
}

/** A comparison with a schema, somewhere in a condition. */
function isSchemaFilter(visit: Visit): boolean {
  if (!namesSchema(visit)) return false
  if (FILTERS.has(visit.field)) return true
  return [...above(visit)].some(({ field }) => FILTERS.has(field))
}

function namesSchema({ kind, node }: Visit): boolean {
  if (kind === 'ColumnRef') return SCHEMA_COLUMN.test(lastText(node['fields']))
  if (kind === 'FuncCall') return SCHEMA_FUNCTION.test(lastText(node['funcname']))
  if (kind === 'SQLValueFunction') return node['op'] === 'SVFOP_CURRENT_SCHEMA'
  return kind === 'TypeName' && OBJECT_TYPE.test(lastText(node['names']))
}

/** The query that a table is a part of; a statement without SELECT is one itself. */
function queryOf(visit: Visit): Visit | Statement {
  return queriesAbove(visit)[0] ?? visit.statement
}

/** A condition in a subquery filters the queries around it as well. */
function queriesAbove(visit: Visit): readonly (Visit | Statement)[] {
  return [...above(visit)].filter(
    ({ kind, parent }) => kind === 'SelectStmt' || parent === undefined,
  )
}

/** The schema in a condition such as `table_schema = 'public'`. */
function fixedSchema({ kind, node }: Visit): string | undefined {
  if (kind !== 'A_Expr') return undefined
  const { lexpr, rexpr } = node
  const [constant] = [lexpr, rexpr].flatMap((side) => constantText(side) ?? [])
  return [lexpr, rexpr].some(isSchemaColumn) ? constant : undefined
}

function isSchemaColumn(input: unknown): boolean {
  if (!isNode(input)) return false
  const column = input['ColumnRef']
  return isNode(column) && /^(nspname|schemaname|\w+_schema)$/.test(lastText(column['fields']))
}
