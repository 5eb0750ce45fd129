import { type Rule, nodeRule } from '../rule.js'

/** Extensions that a tenant's migration makes or changes. */
export const createExtension: Rule = nodeRule('create-extension', 'warning', ({ kind }) =>
  /^(CreateExtension|AlterExtension)/.test(kind)
    ? 'An extension is there once in a database: it would live in the schema that is migrated ' +
      'first, and the others would not find it. Name it in the option "extensions.create".'
    : undefined,
)

/** Extensions that a tenant's migration drops. */
export const dropExtension: Rule = nodeRule('drop-extension', 'error', ({ kind, node }) =>
  kind === 'DropStmt' && node['removeType'] === 'OBJECT_EXTENSION'
    ? 'This takes the extension away from all schemas of the database. Take it out of the file; ' +
      'once no schema needs the extension any more, drop it by hand.'
    : undefined,
)
