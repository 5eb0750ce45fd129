import type { SchemaName } from '../names/schema-name.js'
import { searchPath } from '../names/search-path.js'
import type { Queryable } from '../postgres/queryable.js'
import type { TenantFilter, TenantRegistry } from '../registry/registry.js'
import { TENANT_STATUSES } from '../registry/tenant.js'
import type { FleetSchema, SchemaKind } from '../selector/selector.js'
import { parseSchemaName } from '../names/schema-name.js'
import type { ExtensionRules } from './extensions/extensions.js'
import type { GuardRules } from './guard/guard.js'
import { type MigrationBridge, type MigrationOrigin, isBridge } from './bridges/bridge.js'
import type { Migration } from './source.js'

/** The schemas of a service: what is configured about each kind. */
export interface SchemaLayout {
  readonly shared: { readonly schema: SchemaName; readonly source: MigrationOrigin | undefined }
  readonly static: ReadonlyMap<SchemaName, MigrationOrigin | undefined>
  readonly tenants: {
    readonly prefix: string
    readonly source: MigrationOrigin | undefined
    /** Schemas that are searched after a tenant's own. */
    readonly extras: readonly SchemaName[]
  }
  readonly extensions?: ExtensionRules | undefined
  /** What migrations may change outside of their schema; without it nobody looks. */
  readonly guard?: GuardRules | undefined
}

/** Schemas that are searched after a schema's own. */
export function extrasOf(
  { tenants, extensions }: SchemaLayout,
  kind: SchemaKind,
): readonly SchemaName[] {
  const extras = kind === 'tenant' ? tenants.extras : []
  return extensions === undefined || extras.includes(extensions.schema)
    ? extras
    : [...extras, extensions.schema]
}

/** The text of the `search_path` of a schema. */
export function pathOf(layout: SchemaLayout, schema: SchemaName, kind: SchemaKind): string {
  return searchPath(schema, extrasOf(layout, kind))
}

/** Every schema that a selector can name. Deleted tenants are no part of the fleet. */
export async function listFleet(
  db: Queryable,
  layout: SchemaLayout,
  registry: TenantRegistry,
): Promise<readonly FleetSchema[]> {
  const tenants = await registry.list(db, ALIVE)
  return [
    { schema: layout.shared.schema, kind: 'shared' },
    ...[...layout.static.keys()].map((schema) => ({ schema, kind: 'static' as const })),
    ...tenants.map((tenant) => ({
      schema: parseSchemaName(tenant.schema),
      kind: 'tenant' as const,
      tenant,
    })),
  ]
}

const ALIVE: TenantFilter = { status: TENANT_STATUSES.filter((status) => status !== 'deleted') }

/** The tool that migrates a schema instead of a set of ours. */
export function bridgeOf(
  { shared, static: statics, tenants }: SchemaLayout,
  { schema, kind }: Pick<FleetSchema, 'schema' | 'kind'>,
): MigrationBridge | undefined {
  const fixed = kind === 'shared' ? shared.source : statics.get(schema)
  const source = kind === 'tenant' ? tenants.source : fixed
  return isBridge(source) ? source : undefined
}

/** Loads each migration set once; a schema without a set has no migrations. */
export async function loadSets(
  layout: SchemaLayout,
): Promise<(schema: FleetSchema) => readonly Migration[]> {
  const { loadSet } = await import('./complete-set.js')
  const { withoutExtensions } = await import('./extensions/extension-statements.js')
  const load = async (source: MigrationOrigin | undefined): Promise<readonly Migration[]> => {
    const set = await loadSet(source)
    return layout.extensions === undefined ? set : set.map(withoutExtensions)
  }
  const [shared, tenants, ...statics] = await Promise.all([
    load(layout.shared.source),
    load(layout.tenants.source),
    ...[...layout.static.values()].map(load),
  ])
  const byStatic = new Map([...layout.static.keys()].map((name, index) => [name, statics[index]]))
  return ({ schema, kind }) => {
    if (kind === 'tenant') return tenants
    return (kind === 'shared' ? shared : byStatic.get(schema)) ?? []
  }
}
