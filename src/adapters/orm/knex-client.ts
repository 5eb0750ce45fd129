import { unquoteIdent } from '../../names/schema-name.js'
import type { NameRule } from './name-rule.js'
import { beforeEachCall, isCallable, isObject, property } from './property.js'

const QUALIFIED_JOIN = /\bjoin\s+(?:lateral\s+)?\(?\s*("(?:[^"]|"")+"|[\w$]+)\s*\./gi

/**
 * Puts a class of its own above the client. The clients of transactions are made from the class and
 * not from the client, and what one client alone had would be lost to them.
 */
export function guardKnexClient(client: object, rule: NameRule): void {
  const prototype: object = Object.create(Object.getPrototypeOf(client))
  const type = { prototype }
  Reflect.defineProperty(prototype, 'constructor', { value: type })
  // To cancel a query knex would make a connection without knowing where to.
  Reflect.defineProperty(prototype, 'canCancelQuery', { value: false })
  beforeEachCall(prototype, 'queryCompiler', (builder) => judgeQuery(builder, rule))
  beforeEachCall(prototype, 'schemaCompiler', (builder) => judgeChange(builder, rule))
  releaseOnce(prototype)
  Object.setPrototypeOf(client, prototype)
}

/** knex releases the connection of a stream twice, at the end of the stream and of the query. */
function releaseOnce(prototype: object): void {
  const release = property(prototype, 'releaseConnection')
  const released = new WeakSet<object>()
  Reflect.defineProperty(prototype, 'releaseConnection', {
    writable: true,
    async value(this: unknown, connection: object): Promise<void> {
      if (!isCallable(release) || released.has(connection)) return
      released.add(connection)
      await Reflect.apply(release, this, [connection])
    },
  })
}

/** knex compiles each sub-query by itself, so one query's own names are enough. */
function judgeQuery(builder: unknown, rule: NameRule): void {
  const single = property(builder, '_single')
  rule(property(single, 'schema'), 'query')
  for (const key of ['table', 'using', 'updateFrom']) judgeTable(property(single, key), rule)
  const statements = property(builder, '_statements')
  if (!Array.isArray(statements)) return
  for (const statement of statements) {
    if (property(statement, 'joinType') === undefined) continue
    rule(property(statement, 'schema'), 'join')
    judgeTable(property(statement, 'table'), rule)
    judgeJoinText(property(property(statement, 'table'), 'sql'), rule)
  }
}

/** In the text of a join, a name with a dot behind JOIN can be nothing but one with its schema. */
function judgeJoinText(text: unknown, rule: NameRule): void {
  if (typeof text !== 'string') return
  for (const [join, schema = ''] of text.matchAll(QUALIFIED_JOIN)) rule(unquoteIdent(schema), join)
}

/** What a schema builder was asked for: calls, the first argument of which is a table. */
function judgeChange(builder: unknown, rule: NameRule): void {
  rule(property(builder, '_schema'), 'change')
  const calls = property(builder, '_sequence')
  if (!Array.isArray(calls)) return
  for (const call of calls) judgeTable(property(property(call, 'args'), 0), rule)
}

/** A text `schema.table as alias`, a reference, a list, or an object from aliases to either. */
function judgeTable(table: unknown, rule: NameRule): void {
  if (typeof table === 'string') {
    const [name = ''] = table.split(/ as /i)
    if (name.includes('.')) rule(name.slice(0, name.lastIndexOf('.')).trim(), `table "${table}"`)
    return
  }
  if (!isObject(table) || typeof table === 'function') return
  if (property(table, 'isRawInstance') !== true) {
    if (!Array.isArray(table) && Object.getPrototypeOf(table) !== Object.prototype) return
    for (const each of Object.values(table)) judgeTable(each, rule)
    return
  }
  rule(property(table, '_schema'), 'reference')
  judgeTable(property(table, 'ref'), rule)
}
