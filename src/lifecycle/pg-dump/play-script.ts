import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { text as textFrom } from 'node:stream/consumers'
import type { PoolClient } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { type SchemaName, quoteIdent, unquoteIdent } from '../../names/schema-name.js'
import type { RowProgress } from '../backup/progress.js'
import { withProgram } from './program.js'
import { dataPieces } from './script-reader.js'
import { statementsOf, withinTransaction } from './script-statement.js'
import { present } from '../../support/present.js'

/** An archive of `pg_dump`, and the program that reads it. */
export interface DumpScript {
  readonly program: string
  readonly file: string
  /** The schema that it makes. */
  readonly schema: SchemaName
  readonly progress: RowProgress
  readonly signal: AbortSignal | undefined
}

interface Play extends DumpScript {
  readonly client: PoolClient
  /** The names of the server's settings. */
  readonly known: ReadonlySet<string>
}

/** Settings of a script that its archive alone needs. */
const SCRIPT_SETTINGS = [
  'check_function_bodies',
  'standard_conforming_strings',
  'default_tablespace',
  'default_table_access_method',
]

/**
 * Runs an archive in the caller's transaction, as `pg_restore` would: types and tables, their rows,
 * and then indexes, keys and triggers, so that nothing acts on the rows that come in.
 *
 * The names in it are whole, so the path does not matter to them. But functions that constraints and
 * generated columns call expect the one that is set.
 *
 * @see https://www.postgresql.org/docs/current/app-pgrestore.html
 */
export async function playScript(client: PoolClient, script: DumpScript): Promise<void> {
  const { rows } = await client.query<{ name: string; value: string }>(
    'select name, current_setting(name) as value from pg_catalog.pg_settings',
  )
  const play = { ...script, client, known: new Set(rows.map(({ name }) => name)) }
  await playText(play, 'pre-data')
  await playRows(play)
  await playText(play, 'post-data')
  for (const { name, value } of rows.filter((row) => SCRIPT_SETTINGS.includes(row.name))) {
    await client.query('select pg_catalog.set_config($1, $2, true)', [name, value])
  }
}

/** The arguments for `pg_restore`: who owns what is new is who makes it. */
function callOf({ program, file, signal }: Play, section: string) {
  const kept = ['--no-owner', '--no-publications', '--no-subscriptions', '--file=-']
  return { program, args: [`--section=${section}`, ...kept, file], signal }
}

/** Structure is not large, and is taken apart as a whole. */
async function playText(play: Play, section: 'pre-data' | 'post-data'): Promise<void> {
  const script = await withProgram(callOf(play, section), (output) => textFrom(output))
  await run(play, statementsOf(script))
}

const TEXTS_PER_QUERY = 100

async function run({ client, known }: Play, statements: readonly string[]): Promise<void> {
  const texts = statements.flatMap((text) => withinTransaction(text, known) ?? [])
  for (let from = 0; from < texts.length; from += TEXTS_PER_QUERY) {
    await client.query(texts.slice(from, from + TEXTS_PER_QUERY).join(';\n'))
  }
}

async function playRows(play: Play): Promise<void> {
  const tables = await partitionedOf(play)
  await withProgram(callOf(play, 'data'), async (output) => {
    for await (const piece of dataPieces(output)) {
      if (piece.kind === 'copy') await copy(play, piece, tables)
      else await run(play, [piece.text.trimEnd().replace(/;$/, '')])
    }
  })
}

async function copy(
  { client, progress }: Play,
  { text, rows }: { readonly text: string; readonly rows: AsyncIterable<Buffer> },
  tables: ReadonlyMap<string, string>,
): Promise<void> {
  const name = tableOf(text)
  const table = tables.get(name) ?? name
  const statement = text.replace(/;\s*$/, ` with (format text, encoding 'UTF8')`)
  const counted = Readable.from(progress.counting(table, rows), { objectMode: false })
  await pipeline(counted, client.query(copyFrom(statement)))
}

const COPIED = /^COPY (?:"(?:[^"]|"")*"|[^\s."]+)\.("(?:[^"]|"")*"|[^\s("]+)/

function tableOf(text: string): string {
  const [, name = ''] = present(COPIED.exec(text))
  return unquoteIdent(name)
}

/** The table that each partition belongs to: the rows of a table are told of together. */
async function partitionedOf({ client, schema }: Play): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ partition: string; table: string }>(
    `select c.relname::text as partition, r.relname::text as table from pg_catalog.pg_class c
     join pg_catalog.pg_class r on r.oid = pg_catalog.pg_partition_root(c.oid)
     where c.relnamespace = to_regnamespace($1) and c.relispartition and c.relkind in ('r', 'p')`,
    [quoteIdent(schema)],
  )
  return new Map(rows.map(({ partition, table }) => [partition, table]))
}
