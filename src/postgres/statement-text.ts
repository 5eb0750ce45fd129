import { TenantryError } from '../errors.js'
import { isSingleStatement } from './sql-text.js'
import { goesOnAfterCommit } from './transaction-control.js'
import type { PgQuery, Submittable } from './wire.js'

/**
 * Chooses the protocol of a query without values, and says why it cannot be run if it cannot.
 *
 * One statement goes by the extended protocol, because a single simple Query behind a prelude is
 * not committed; a text of several statements needs the simple one.
 */
export function chooseProtocol(statement: Submittable, schema: string): Error | undefined {
  if (!isPgQuery(statement) || statement.requiresPreparation()) return undefined
  const text = statement.text ?? ''
  if (isSingleStatement(text)) statement.queryMode = 'extended'
  else if (goesOnAfterCommit(text)) return goesOn(schema)
  return undefined
}

function isPgQuery(statement: Submittable): statement is PgQuery {
  return 'requiresPreparation' in statement
}

function goesOn(schema: string): TenantryError {
  return new TenantryError(
    'STATEMENT_REFUSED',
    'The text ends its transaction and goes on, and what follows would run outside of the ' +
      `schema "${schema}". Send what follows the COMMIT or ROLLBACK as a query of its own.`,
    { schema },
  )
}
