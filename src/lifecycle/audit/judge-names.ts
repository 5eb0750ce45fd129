import type { SchemaLayout } from '../../migration/layout.js'
import { isSchemaName } from '../../names/schema-name.js'
import { isSlug } from '../../names/slug.js'
import type { Tenant } from '../../registry/tenant.js'
import type { AuditFinding } from './finding.js'
import type { Observed } from './observe.js'
import { present } from '../../support/present.js'

/** What is the matter with the names of tenants and schemas, and with one name that several have. */
export function judgeNames(
  { tenants, schemas }: Pick<Observed, 'tenants' | 'schemas'>,
  { tenants: { prefix } }: SchemaLayout,
): readonly AuditFinding[] {
  const owned = tenants.map(({ schema }) => schema)
  const ours = schemas.flatMap(({ name }) => (isLike(prefix, name) ? name : []))
  return [
    ...tenants.flatMap(badNames),
    ...groupsOf(tenants, ({ schema }) => schema).map(ofSeveral),
    ...alike(tenants.map(({ slug }) => slug)).map((names) => differByCase(names, 'slugs')),
    ...alike([...owned, ...ours]).map((names) => differByCase(names, 'schemas')),
  ]
}

/** Whether a schema's name begins like a tenant's, in letters of either case. */
export function isLike(prefix: string, name: string): boolean {
  return name.toLowerCase().startsWith(prefix)
}

function badNames({ slug, schema, status }: Tenant): readonly AuditFinding[] {
  if (isSlug(slug) && isSchemaName(schema)) return []
  const what = isSlug(slug) ? `schema "${schema}"` : `slug "${slug}"`
  return [
    {
      kind: 'name-invalid',
      tenant: slug,
      status,
      schema,
      message: `The ${what} of a tenant in the registry breaks the rule for such names, so nothing works with it.`,
      repair:
        'Correct the name in the registry; a schema is renamed by ALTER SCHEMA … RENAME in the same transaction.',
    },
  ]
}

function ofSeveral(group: readonly Tenant[]): AuditFinding {
  const names = group.map(({ slug }) => slug)
  const schema = present(group[0]).schema
  return {
    kind: 'schema-of-several',
    schema,
    names,
    message: `The schema "${schema}" is that of ${names.length} tenants: ${names.join(', ')}. Each reads and writes the data of the others.`,
    repair: 'Leave the schema to one of them, and give each of the others one of its own.',
  }
}

function differByCase(names: readonly string[], what: 'slugs' | 'schemas'): AuditFinding {
  return {
    kind: 'names-differ-by-case',
    names,
    message: `The ${what} ${names.join(', ')} differ by upper and lower case only, which poolers and people confuse.`,
    repair: 'Rename all but one of them, or drop what nobody needs.',
  }
}

/** Different names that are the same in lower case. */
function alike(names: readonly string[]): readonly (readonly string[])[] {
  return groupsOf([...new Set(names)], (name) => name.toLowerCase())
}

/** Items that share a key with another one, by key. */
function groupsOf<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return [...groups.values()].filter((group) => group.length > 1)
}
