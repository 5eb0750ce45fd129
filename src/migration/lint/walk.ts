import { type AstNode, isNode, numberIn, unwrap } from './node.js'
import type { SqlPiece } from './piece.js'

/** One statement of a piece of SQL. */
export interface Statement {
  readonly piece: SqlPiece
  readonly kind: string
  readonly node: AstNode
  /** Offset of its first word in the piece, in UTF-16 units. */
  readonly start: number
}

/** A node on the way through a statement, with the way that led to it. */
export interface Visit {
  readonly kind: string
  readonly node: AstNode
  /** The field of the parent that holds the node, itself or in a list. */
  readonly field: string
  readonly parent: Visit | undefined
  readonly statement: Statement
}

/** Goes over all nodes of a statement, parents first. */
export function* walk(statement: Statement): Generator<Visit> {
  const { kind, node } = statement
  yield* descend({ kind, node, field: '', parent: undefined, statement })
}

function* descend(visit: Visit): Generator<Visit> {
  yield visit
  for (const [field, value] of Object.entries(visit.node)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      const child = childOf(each, field, visit)
      if (child) yield* descend(child)
    }
  }
}

function childOf(input: unknown, field: string, parent: Visit): Visit | undefined {
  if (!isNode(input)) return undefined
  const { kind, node } = unwrap(input) ?? { kind: bareKind(input), node: input }
  return { kind, node, field, parent, statement: parent.statement }
}

/** Where a field can hold one kind of node only, the tree does not name the kind. */
function bareKind(node: AstNode): string {
  if ('relname' in node) return 'RangeVar'
  if ('limitOption' in node) return 'SelectStmt'
  if ('names' in node && 'typemod' in node) return 'TypeName'
  return ''
}

/** The nodes above one, the nearest first. */
export function* above(visit: Visit): Generator<Visit> {
  for (let at = visit.parent; at !== undefined; at = at.parent) yield at
}

/** The offset of a node in its piece, or `undefined` where the parser does not say. */
export function byteOf({ node }: Visit): number | undefined {
  const location = numberIn(node, 'location')
  return location !== undefined && location > 0 ? location : undefined
}
