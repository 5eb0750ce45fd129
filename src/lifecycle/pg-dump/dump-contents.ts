import { TenantryError } from '../../errors.js'
import { type SchemaName, isSchemaName } from '../../names/schema-name.js'
import { BrokenArchive } from '../backup/archive-frame.js'
import { ProgramFailed, majorVersionOf, withProgram } from './program.js'
import { restoreTooOld } from './program-error.js'
import { text } from 'node:stream/consumers'

/** A line of `pg_restore --list`: its numbers, the kind, the schema or `-`, and the name. */
const ENTRY = /^\d+; \d+ \d+ ([A-Z]+(?: [A-Z]+)*) (\S+) (.*)$/
const SAYS_TOO_OLD = /unsupported version|version mismatch/i
/** What has a schema's name in its own, and not before it. */
const OF_SCHEMA: ReadonlySet<string> = new Set(['SCHEMA', 'ACL', 'COMMENT', 'SECURITY LABEL'])

/**
 * The schema that an archive of `pg_dump` is of.
 *
 * @throws `PG_DUMP_UNFIT`; `ARCHIVE_INVALID` when it has more than one schema in it
 */
export async function schemaOfDump(
  program: string,
  file: string,
  signal?: AbortSignal,
): Promise<SchemaName> {
  const version = await majorVersionOf(program)
  const call = { program, args: ['--list', file], signal }
  const list = await withProgram(call, (output) => text(output)).catch((error: unknown) => {
    const isTooOld = error instanceof ProgramFailed && SAYS_TOO_OLD.test(error.said)
    throw isTooOld ? restoreTooOld(program, version, error) : error
  })
  const entries = list.split('\n').flatMap((line) => {
    const [, kind = '', schema = '', name = ''] = ENTRY.exec(line) ?? []
    return kind === '' ? [] : [{ kind, schema, name }]
  })
  const [only, ...more] = entries.filter(({ kind, schema }) => kind === 'SCHEMA' && schema === '-')
  if (only === undefined) throw new BrokenArchive('it makes no schema')
  // The owner is behind the name, and nothing for the names that are allowed here needs quotes.
  const [name = ''] = only.name.split(' ')
  const foreign = entries.filter(
    ({ kind, schema }) => schema !== name && !(schema === '-' && OF_SCHEMA.has(kind)),
  )
  if (more.length > 0 || foreign.length > 0 || !isSchemaName(name)) {
    const others = [...more, ...foreign].map((entry) => `${entry.kind} ${entry.name}`)
    throw notOneSchema(isSchemaName(name) ? others : [`SCHEMA ${name}`])
  }
  return name
}

function notOneSchema(others: readonly string[]): TenantryError {
  return new TenantryError(
    'ARCHIVE_INVALID',
    `The archive of pg_dump is not of one tenant's schema alone: it has ${others.slice(0, 5).join(', ')} ` +
      'in it. Nothing was changed. Make it by pg_dump --format=custom --schema=…, whose name is of ' +
      'a-z, 0-9, _ and -.',
    { candidates: others },
  )
}
