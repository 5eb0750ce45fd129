import type { ExtensionRules } from '../migration/extensions/extensions.js'
import { parseSchemaName } from '../names/schema-name.js'
import { listOf, optionInvalid, refuseUnknown } from '../support/options.js'

/** The extensions of PostgreSQL that all schemas of a service share. */
export interface ExtensionsOptions {
  /** The schema that has them; it is on every path, after the tenant's own. @defaultValue `'extensions'` */
  readonly schema?: string
  /**
   * Names of the extensions that `migrations.up` makes once, before the shared migrations.
   *
   * @defaultValue `[]`
   */
  readonly create?: readonly string[]
}

const MAX_NAME_BYTES = 63

/** Checks the option `extensions`; without it, extensions are the migrations' own business. */
export function resolveExtensions(
  extensions: ExtensionsOptions | undefined,
): ExtensionRules | undefined {
  if (extensions === undefined) return undefined
  refuseUnknown('extensions.', extensions, ['schema', 'create'])
  return {
    schema: parseSchemaName(extensions.schema ?? 'extensions'),
    create: listOf('extensions.create', extensions.create ?? []).map(parseName),
  }
}

/** Unlike a schema's, an extension's name may begin with `pg_`. */
function parseName(name: unknown): string {
  const isName = typeof name === 'string' && name !== '' && !name.includes('\u0000')
  if (isName && Buffer.byteLength(name) <= MAX_NAME_BYTES) return name
  throw optionInvalid(
    'extensions.create',
    'Option "extensions.create" must be a list of names of extensions, for example ["citext"].',
  )
}
