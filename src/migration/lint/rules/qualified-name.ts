import { constantText, listIn, optionIn, textIn, textsOf, lastText } from '../node.js'
import { UNKNOWN_NAME } from '../piece.js'
import { type Hit, type LintFile, type Rule } from '../rule.js'
import { type Visit, above } from '../walk.js'
import { namedSchema } from './object-name.js'

const SYSTEM: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema', 'pg_temp'])
/** Fields whose tables are read and not written. */
const READ_FIELDS: ReadonlySet<string> = new Set([
  'fromClause',
  'usingClause',
  'larg',
  'rarg',
  'pktable',
  'sourceRelation',
  'constrrel',
])
const SEQUENCE_WRITERS: ReadonlySet<string> = new Set(['nextval', 'setval'])

/** Names that say in which schema the object is. */
export const qualifiedName: Rule = { name: 'qualified-name', level: 'error', check }

function check(file: LintFile): readonly Hit[] {
  return file.visits.flatMap((at) => [...written(at, file), ...read(at, file)])
}

function written(at: Visit, { mayWrite }: LintFile): readonly Hit[] {
  const schemas = [tableSchema(at, false), namedSchema(at), sequenceSchema(at), filledSchema(at)]
  return named(schemas).flatMap((schema) =>
    mayWrite(schema)
      ? []
      : [
          {
            at,
            message:
              `This is for schema "${schema}" whichever schema is migrated. Leave the schema out, so that ` +
              'the search_path decides; what all tenants share belongs into the migrations of the shared schema.',
          },
        ],
  )
}

function read(at: Visit, { mayRead }: LintFile): readonly Hit[] {
  const schemas = [tableSchema(at, true), calledSchema(at), triggerSchema(at), typeSchema(at)]
  return named(schemas).flatMap((schema) =>
    mayRead(schema)
      ? []
      : [
          {
            at,
            level: 'warning',
            message:
              `This reads from schema "${schema}" whichever schema is migrated. Leave the schema ` +
              'out, or list it in "searchPath" or "allow" if all tenants share it.',
          } as const,
        ],
  )
}

function named(schemas: readonly (string | undefined)[]): readonly string[] {
  const given = schemas.flatMap((schema) => schema ?? [])
  return given.filter((schema) => schema !== UNKNOWN_NAME && !SYSTEM.has(schema))
}

function tableSchema(at: Visit, wanted: boolean): string | undefined {
  if (at.kind !== 'RangeVar' || isRead(at) !== wanted) return undefined
  return textIn(at.node, 'schemaname')
}

function isRead(at: Visit): boolean {
  if (READ_FIELDS.has(at.field)) return true
  const { kind, node } = at.parent ?? at
  return kind === 'TableLikeClause' || (kind === 'CopyStmt' && node['is_from'] !== true)
}

/** A sequence is named by a text, as in `nextval('public.loan_numbers')`. */
function sequenceSchema({ kind, node }: Visit): string | undefined {
  if (kind !== 'FuncCall') return undefined
  if (!SEQUENCE_WRITERS.has(lastText(node['funcname']))) return undefined
  const name = constantText(listIn(node, 'args')[0]) ?? ''
  return /^"?([^".]+)"?\./.exec(name)?.[1]
}

/** Where a statement puts objects that are not named one by one. */
function filledSchema({ kind, node }: Visit): string | undefined {
  if (kind === 'AlterObjectSchemaStmt') return textIn(node, 'newschema')
  if (kind === 'ImportForeignSchemaStmt') return textIn(node, 'local_schema')
  if (kind !== 'AlterDefaultPrivilegesStmt') return undefined
  return textsOf(optionIn(node, 'options', 'schemas')?.['arg'])[0]
}

function calledSchema({ kind, node }: Visit): string | undefined {
  return kind === 'FuncCall' ? schemaOf(textsOf(node['funcname'])) : undefined
}

function triggerSchema({ kind, node }: Visit): string | undefined {
  return kind === 'CreateTrigStmt' ? schemaOf(textsOf(node['funcname'])) : undefined
}

/** The type of a column or a cast; the one that a DROP names is written. */
function typeSchema(at: Visit): string | undefined {
  if (at.kind !== 'TypeName' || at.field === 'objects' || at.field === 'object') return undefined
  for (const { kind } of above(at)) if (kind === 'ObjectWithArgs') return undefined
  const names = textsOf(at.node['names'])
  return at.node['pct_type'] === true ? schemaOf(names.slice(0, -1)) : schemaOf(names)
}

function schemaOf(names: readonly string[]): string | undefined {
  return names.length > 1 ? names.at(-2) : undefined
}
