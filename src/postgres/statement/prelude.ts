import { TenantryError } from '../../errors.js'
import type { SchemaName } from '../../names/schema-name.js'
import { type FormTexts, PreludeForm } from './prelude-form.js'
import { SQL_STATE, sqlStateOf } from '../sql-state.js'
import { STATEMENT_PREFIX } from './statement-prefix.js'
import { isError } from '../../support/is-error.js'

/** Settings that ride in the prelude, by name; each is local to the transaction. */
export type ScopeSettings = Readonly<Record<string, string>>

/** Which schema it has to be that has the name. */
export interface SchemaIdentity {
  /** Of `pg_namespace`; it stays the same when the schema is renamed. */
  readonly oid: string
  /** Called when another schema has the name. */
  readonly onReplaced: () => void
}

/** What is sent in front of a statement so that it answers for one schema and no other. */
export interface Prelude {
  readonly schema: SchemaName
  readonly path: string
  readonly identity: SchemaIdentity | undefined
  readonly settings: ScopeSettings
  readonly values: readonly string[]
  /** For the first statement of a scope on a client: refuses to run among temporary tables. */
  readonly enter: PreludeForm
  /** For the statements after it. */
  readonly stay: PreludeForm
  /** The text that sets the same for a whole session. */
  readonly sessionText: string
}

/**
 * Fails with `invalid_schema_name` when the schema is missing, and keeps it from being dropped until
 * the transaction ends. A mere cast to `regnamespace` takes no lock: a statement that then waits for
 * a DROP under way finds its table in the next schema of the path.
 */
const SCHEMA = `pg_get_object_address('schema', array[$2], '{}')`
/** No schema has an empty name: among temporary tables the statement is not run. */
const GUARDED_SCHEMA = `pg_get_object_address('schema',
  array[case when pg_my_temp_schema() = 0 then $2 else '' end], '{}')`
/** Tells a direct connection; see `isDirect`. */
const BACKEND = 'pg_backend_pid()'
/** Which column of the prelude's row has the backend's process id. */
export const BACKEND_COLUMN = 2

/** What a prelude may do besides. */
export interface PreludeExtras {
  readonly settings?: ScopeSettings | undefined
  /** Without one, whichever schema has the name answers. */
  readonly identity?: SchemaIdentity | undefined
}

/**
 * The prelude of a schema, with the text of its whole path.
 *
 * The settings are local to the transaction, so nothing is left to reset. The schema is proved to
 * exist: PostgreSQL itself ignores a missing schema in a path and would let the next one answer.
 * All values are bound; none is part of a text.
 *
 * @see https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SET
 */
export function preludeOf(
  schema: SchemaName,
  path: string,
  { settings = {}, identity }: PreludeExtras = {},
): Prelude {
  const entries = Object.entries(settings)
  const values = [
    path,
    schema,
    ...entries.flat(),
    ...(identity === undefined ? [] : [identity.oid]),
  ]
  const { enter, stay, session } = textsFor(entries.length, identity !== undefined)
  return {
    schema,
    path,
    identity,
    settings,
    values,
    enter: new PreludeForm(enter, values),
    stay: new PreludeForm(stay, values),
    sessionText: session,
  }
}

interface Texts {
  readonly enter: FormTexts
  readonly stay: FormTexts
  readonly session: string
}

const texts = new Map<number, Texts>()

/** A tenant is looked up again and again, and its prelude made anew: the texts are made once. */
function textsFor(settings: number, isIdentified: boolean): Texts {
  const key = 2 * settings + Number(isIdentified)
  const known = texts.get(key)
  if (known !== undefined) return known
  const made = makeTexts(settings, isIdentified)
  texts.set(key, made)
  return made
}

function makeTexts(settings: number, isIdentified: boolean): Texts {
  const prove = (address: string): string =>
    isIdentified ? proofOf(address, 2 * settings + 3) : address
  const calls = (proof: string, local: boolean): readonly string[] => [
    `set_config('search_path', $1, ${local})`,
    proof,
    ...Array.from(
      { length: settings },
      (_, at) => `set_config($${2 * at + 3}, $${2 * at + 4}, ${local})`,
    ),
  ]
  const text = (proof: string, local: boolean): string => {
    const [path = '', schema = '', ...more] = calls(proof, local)
    return `select ${[path, schema, BACKEND, ...more].join(', ')}`
  }
  const form = (kind: string, proof: string): FormTexts => ({
    name: `${STATEMENT_PREFIX}${kind}_${settings}${isIdentified ? '_oid' : ''}`,
    text: text(proof, true),
    quiet: `select where ${nullsAmong(calls(proof, true))} > 0`,
  })
  return {
    enter: form('enter', prove(GUARDED_SCHEMA)),
    stay: form('stay', prove(SCHEMA)),
    session: text(prove(SCHEMA), false),
  }
}

/**
 * Fails unless the schema that has the name, and is locked by now, is the one that is meant: the
 * path, which has names in quotation marks, is no boolean.
 */
function proofOf(address: string, at: number): string {
  return `(case (${address}).objid when $${at} then '1' else $1 end)::boolean`
}

/**
 * A number that the server has to make all the calls for; unlike OR, which stops at the first true.
 * It takes no more than a hundred arguments to a function.
 */
function nullsAmong(calls: readonly string[]): string {
  const groups = Array.from({ length: Math.ceil(calls.length / MAX_ARGUMENTS) }, (_, at) =>
    calls.slice(at * MAX_ARGUMENTS, (at + 1) * MAX_ARGUMENTS),
  )
  return groups.map((group) => `num_nulls(${group.join(', ')})`).join(' + ')
}

const MAX_ARGUMENTS = 100

/** Nothing between two quotation marks, whatever the language of the server's messages. */
const EMPTY_NAME = /["«»]\s*["«»]/

/** Tells whether a prelude failed because of temporary tables that an earlier scope has hidden. */
export function isGuardError(error: unknown): boolean {
  const empty = isError(error) && EMPTY_NAME.test(error.message)
  return empty && sqlStateOf(error) === SQL_STATE.invalidSchemaName
}

/** Says what the failure of a prelude means. */
export function explainPrelude(error: Error, prelude: Prelude): Error {
  if (isReplaced(error, prelude)) {
    prelude.identity?.onReplaced()
    return schemaReplaced(prelude.schema, error)
  }
  if (sqlStateOf(error) !== SQL_STATE.invalidSchemaName) return error
  return new TenantryError(
    'SCHEMA_MISSING',
    `Schema "${prelude.schema}" does not exist, so the statement was not run. ` +
      'Create the tenant again, restore its schema, or correct the registry.',
    { schema: prelude.schema, sqlState: SQL_STATE.invalidSchemaName, cause: error },
  )
}

function isReplaced(error: Error, { identity, path }: Prelude): boolean {
  const isOfPath = identity !== undefined && error.message.includes(path)
  return isOfPath && sqlStateOf(error) === SQL_STATE.invalidText
}

function schemaReplaced(schema: SchemaName, cause: Error): TenantryError {
  return new TenantryError(
    'SCHEMA_MISSING',
    `The schema "${schema}" of this scope was renamed or dropped, and another one has its name now, ` +
      'so the statement was not run. Open a new scope, which looks the tenant up again.',
    { schema, sqlState: SQL_STATE.invalidText, cause },
  )
}
