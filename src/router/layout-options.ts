import type { MigrationOrigin } from '../migration/bridges/bridge.js'
import type { ExtensionRules } from '../migration/extensions/extensions.js'
import type { GuardRules } from '../migration/guard/guard.js'
import type { SchemaLayout } from '../migration/layout.js'
import { directory } from '../migration/sources/directory.js'
import { parsePrefix, parseSchemaName } from '../names/schema-name.js'
import { listOf, optionInvalid } from '../support/options.js'
import type { Migrations, SchemasOptions } from './options.js'

/** Checks the schemas of a service, and that none of them is in another's place. */
export function resolveLayout(
  { shared, static: statics = {}, tenants }: SchemasOptions,
  rules: {
    readonly extensions: ExtensionRules | undefined
    readonly guard: GuardRules | undefined
  },
): SchemaLayout {
  const layout: SchemaLayout = {
    shared: {
      schema: parseSchemaName(shared?.name ?? 'public'),
      source: resolveSource(shared?.migrations),
    },
    static: new Map(
      Object.entries(statics).map(([name, { migrations }]) => [
        parseSchemaName(name),
        resolveSource(migrations),
      ]),
    ),
    tenants: {
      prefix: parsePrefix(tenants?.prefix ?? 'tenant_'),
      source: resolveSource(tenants?.migrations),
      extras: listOf('searchPath', tenants?.searchPath ?? []).map(parseSchemaName),
    },
    ...rules,
  }
  checkApart(layout)
  return layout
}

/** A tenant's schema must never be one of the fixed ones. */
function checkApart({ shared, static: statics, tenants, extensions }: SchemaLayout): void {
  const others = extensions === undefined ? [] : [extensions.schema]
  for (const name of [shared.schema, ...statics.keys(), ...others]) {
    if (!name.startsWith(tenants.prefix)) continue
    throw optionInvalid(
      'prefix',
      `Schema "${name}" begins with the tenants' prefix "${tenants.prefix}". Rename one of them.`,
    )
  }
  for (const name of [shared.schema, ...others]) {
    if (!statics.has(name)) continue
    throw optionInvalid('static', `Schema "${name}" is the shared one or that of extensions.`)
  }
}

function resolveSource(migrations: Migrations | undefined): MigrationOrigin | undefined {
  return typeof migrations === 'string' ? directory(migrations) : migrations
}
