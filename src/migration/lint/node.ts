/** A node of PostgreSQL's parse tree. Its fields are looked at one by one, never assumed. */
export type AstNode = Readonly<Record<string, unknown>>

/** Tells whether something in the tree is a node, and no list or value. */
export function isNode(input: unknown): input is AstNode {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
}

/** The node in a field. */
export function nodeIn(node: AstNode | undefined, field: string): AstNode | undefined {
  const found = node?.[field]
  return isNode(found) ? found : undefined
}

/** The list in a field; what is missing is empty. */
export function listIn(node: AstNode | undefined, field: string): readonly unknown[] {
  const found = node?.[field]
  return Array.isArray(found) ? found : []
}

/** The text in a field. */
export function textIn(node: AstNode | undefined, field: string): string | undefined {
  const found = node?.[field]
  return typeof found === 'string' ? found : undefined
}

/** The number in a field. */
export function numberIn(node: AstNode | undefined, field: string): number | undefined {
  const found = node?.[field]
  return typeof found === 'number' ? found : undefined
}

/** A node with its kind: the tree writes `{ "SelectStmt": { … } }`. */
export interface KindOfNode {
  readonly kind: string
  readonly node: AstNode
}

/** Takes a node out of the object that names its kind. */
export function unwrap(input: unknown): KindOfNode | undefined {
  if (!isNode(input)) return undefined
  const [entry, ...more] = Object.entries(input)
  if (entry === undefined || more.length > 0) return undefined
  const [kind, node] = entry
  return /^[A-Z]/.test(kind) && isNode(node) ? { kind, node } : undefined
}

/** What has a name, and the field that holds its parts. */
const NAME_FIELDS: ReadonlyMap<string, string> = new Map([
  ['List', 'items'],
  ['TypeName', 'names'],
  ['ObjectWithArgs', 'objname'],
])

/** The parts of a dotted name, or the texts of a list, or one text. */
export function textsOf(input: unknown): readonly string[] {
  if (Array.isArray(input)) return input.flatMap(textsOf)
  const found = unwrap(input)
  if (found?.kind === 'String') return [textIn(found.node, 'sval') ?? '']
  const field = found && NAME_FIELDS.get(found.kind)
  return field === undefined ? [] : textsOf(found?.node[field])
}

/** The last part of a dotted name, which is never empty; nothing of what is no name. */
export function lastText(input: unknown): string {
  return textsOf(input).at(-1) ?? ''
}

/** The name of a table, without its schema. */
export function tableName(node: AstNode): string {
  return textIn(node, 'relname') ?? ''
}

/** The value of a constant text. */
export function constantText(input: unknown): string | undefined {
  const found = unwrap(input)
  if (found?.kind === 'TypeCast') return constantText(found.node['arg'])
  if (found?.kind !== 'A_Const') return undefined
  const value = nodeIn(found.node, 'sval')
  return value && (textIn(value, 'sval') ?? '')
}

/** An option such as `language` of `create function`. */
export function optionIn(node: AstNode, field: string, name: string): AstNode | undefined {
  return listIn(node, field)
    .map(unwrap)
    .find((each) => each?.kind === 'DefElem' && each.node['defname'] === name)?.node
}
