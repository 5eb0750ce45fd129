/**
 * The parts of a connected `pg.Client` that a scoped statement speaks to.
 *
 * They are not in pg's types, but pg's own companions (`pg-cursor`, `pg-query-stream`,
 * `pg-copy-streams`) are built on them. {@link speaksWire} checks for them once per client.
 */
export interface WireConnection {
  readonly stream: { cork?: () => void; uncork?: () => void; write(bytes: Buffer): unknown }
  /** Statements by name that this connection has parsed, with their text. */
  readonly parsedStatements: Record<string, string | undefined>
  /** Statements by name whose Parse message is under way. */
  readonly submittedNamedStatements?: Record<string, string | undefined>
  close(message: { type: 'S' | 'P'; name: string }): void
  query(text: string): void
  flush(): void
  sync(): void
}

/** Whether a session is idle (`I`), in a transaction (`T`) or in a failed one (`E`). */
export type TransactionStatus = 'I' | 'T' | 'E'

/** What a `pg.Client` must be able to do for a statement to travel with its scope in one batch. */
export interface WireClient {
  readonly connection: WireConnection
  /** The process id that the client was told at its start. */
  readonly processID: number
  getTransactionStatus(): TransactionStatus | null
  query(statement: WireStatement, callback?: Submittable['callback']): unknown
}

/** What a client is handed: it is never asked for its name before it is parsed. */
export type WireStatement = Omit<Submittable, 'name'> & { readonly name?: string | null }

/** What pg calls back on the object that it is running; pg-cursor and others implement a part. */
export interface Submittable {
  submit(connection: WireConnection): Error | null | undefined | void
  readonly text?: string | undefined
  name?: string | undefined
  callback?: ((error: Error | null, result?: unknown) => void) | undefined
  handleRowDescription?(message: unknown, connection: WireConnection): void
  handleDataRow?(message: DataRow, connection: WireConnection): void
  handlePortalSuspended?(connection: WireConnection): void
  handleCommandComplete?(message: CommandComplete, connection: WireConnection): void
  handleEmptyQuery?(connection: WireConnection): void
  handleCopyInResponse?(connection: WireConnection): void
  handleCopyData?(message: unknown, connection: WireConnection): void
  handleReadyForQuery?(connection: WireConnection): void
  handleError?(error: Error, connection: WireConnection): void
}

/** A query of pg itself, which chooses between the simple and the extended protocol. */
export interface PgQuery extends Submittable {
  queryMode?: string
  /** How many rows to fetch at a time; then the query sends its Sync only at its end. */
  readonly rows?: number
  requiresPreparation(): boolean
}

/** The server's DataRow message; values are text unless a binary format was asked for. */
export interface DataRow {
  readonly fields: readonly unknown[]
}

/** The server's CommandComplete message; `text` is the command tag, for example `SELECT 1`. */
export interface CommandComplete {
  readonly text?: string
}

const CONNECTION_METHODS = ['close', 'query', 'flush', 'sync'] as const

/**
 * Tells whether a connected client has what a scoped batch needs; `pg-native` has not, and a client
 * in pipeline mode takes no statement that is not pg's own.
 */
export function speaksWire(client: object): client is WireClient {
  const known = checked.get(client)
  if (known !== undefined) return known
  const verdict = hasWire(client)
  checked.set(client, verdict)
  return verdict
}

const checked = new WeakMap<object, boolean>()

function hasWire(client: object): boolean {
  const connection: unknown = Reflect.get(client, 'connection')
  if (typeof connection !== 'object' || connection === null) return false
  if (Reflect.get(client, 'pipeline') === true) return false
  return (
    has(client, 'getTransactionStatus') && CONNECTION_METHODS.every((name) => has(connection, name))
  )
}

function has(owner: object, method: string): boolean {
  return typeof Reflect.get(owner, method) === 'function'
}

/** Tells whether an argument of `client.query` is an object that submits itself, such as a cursor. */
export function isSubmittable(input: unknown): input is Submittable {
  return (
    typeof input === 'object' &&
    input !== null &&
    'submit' in input &&
    typeof input.submit === 'function'
  )
}

/**
 * Tells whether a stream was destroyed before its turn: nobody would read it to its end. A COPY
 * stream is not given up, because it waits for the server to refuse it.
 */
export function isGivenUp(statement: Submittable): boolean {
  return Reflect.get(statement, 'destroyed') === true && statement.handleDataRow !== undefined
}

/** Tells whether a statement is a query of pg itself, not a cursor or a stream. */
export function isPgQuery(statement: Submittable): statement is PgQuery {
  return 'requiresPreparation' in statement
}

type QueryClass = new (
  config: unknown,
  values: unknown,
  callback: (error: Error | null, result?: unknown) => void,
) => Submittable

/** Makes a query of the caller's own pg, so that its version and its settings apply. */
export function newQuery(
  client: object,
  config: unknown,
  values: unknown,
  callback: (error: Error | null, result?: unknown) => void,
): Submittable {
  const Query: unknown = Reflect.get(client.constructor, 'Query')
  if (!isQueryClass(Query)) throw new TypeError('The class of the client has no Query.')
  const query = new Query(config, values, callback)
  // pg reads it from what `client.query` is given, not from the query.
  if (typeof config === 'object' && config !== null && 'query_timeout' in config) {
    Reflect.set(query, 'query_timeout', config.query_timeout)
  }
  return query
}

function isQueryClass(input: unknown): input is QueryClass {
  return typeof input === 'function'
}

/** The SQL of a statement; a stream of pg-query-stream has it in its cursor. */
export function textOf(statement: Submittable): string {
  if (statement.text !== undefined) return statement.text
  const cursor: unknown = Reflect.get(statement, 'cursor')
  return typeof cursor === 'object' && cursor !== null ? String(Reflect.get(cursor, 'text')) : ''
}

/**
 * A query that fetches some rows at a time sends its Sync at its end only, and a simple Query sends
 * none: the server skips it behind a prelude that has failed.
 */
export function sendsNoSync(statement: Submittable): boolean {
  if (!isPgQuery(statement)) return false
  return Boolean(statement.rows) || !statement.requiresPreparation()
}
