import { type Rule, nodeRule } from '../rule.js'

/** Schemas that a file makes or renames. */
export const createSchema: Rule = nodeRule('create-schema', 'error', ({ kind, node }) => {
  if (kind === 'CreateSchemaStmt')
    return 'The schema is there once for all tenants. Remove the statement: tenantry makes the schemas.'
  return kind === 'RenameStmt' && node['renameType'] === 'OBJECT_SCHEMA'
    ? 'This renames a schema that the registry knows by its old name. Remove the statement.'
    : undefined
})

/** Schemas that a file drops. */
export const dropSchema: Rule = nodeRule('drop-schema', 'error', ({ kind, node }) =>
  kind === 'DropStmt' && node['removeType'] === 'OBJECT_SCHEMA'
    ? 'This drops the same schema whichever schema is migrated. Remove the statement.'
    : undefined,
)
