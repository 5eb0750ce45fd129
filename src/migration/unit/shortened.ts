const MAX_STATEMENT = 500

/** A statement as an error has it: a file may be of megabytes. */
export function shortened(statement: string): string {
  return statement.slice(0, MAX_STATEMENT)
}
