import { type Rule, nodeRule } from '../rule.js'

/** Drops that take along what depends on the object, in whichever schema it is. */
export const dropCascade: Rule = nodeRule('drop-cascade', 'warning', ({ kind, node }) => {
  const cascades = node['behavior'] === 'DROP_CASCADE'
  if (!cascades || !/^(DropStmt|AlterTableCmd|TruncateStmt)$/.test(kind)) return undefined
  return (
    'CASCADE takes along what depends on this, also in other schemas. Name what is to go, without ' +
    'CASCADE, so that anything unexpected is an error.'
  )
})
