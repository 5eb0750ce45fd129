import { type Rule, nodeRule } from '../rule.js'

const DDL =
  /^(Create|Alter|Index|Drop|View|Rename|Define|CompositeType|Rule|Comment|Truncate)\w*Stmt$/

/** Tables and the like that a DO block makes or changes. */
export const ddlInDo: Rule = nodeRule('ddl-in-do', 'note', ({ kind, parent, statement }) =>
  parent === undefined && statement.piece.within === 'do' && DDL.test(kind)
    ? 'On Citus what a DO block makes stays on the coordinator, without an error. Write the ' +
      'statement outside of the block, with IF EXISTS or IF NOT EXISTS, if it may run there.'
    : undefined,
)
