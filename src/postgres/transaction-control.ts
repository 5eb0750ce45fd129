const CONTROL =
  /^\s*(begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare\s+transaction|set\s+((local|session)\s+)?transaction|set\s+session\s+characteristics)\b[^;]*;?\s*$/i

/**
 * Tells whether a text is one statement that controls the transaction and can read no table.
 *
 * Such a statement goes out without a prelude: `begin isolation level …` must come before any
 * query of its transaction, and a savepoint has nothing to look up. A text that cannot be judged
 * at a glance (comments, several statements) is not one, and gets the prelude.
 */
export function isTransactionControl(text: string | undefined): boolean {
  return text !== undefined && text.length < 200 && CONTROL.test(text)
}
