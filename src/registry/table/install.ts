import { type SchemaName, quoteLiteral } from '../../names/schema-name.js'
import { lockKey } from '../../postgres/advisory-lock.js'
import type { Queryable } from '../../postgres/queryable.js'
import { type RegistryTables, registryTables } from './table-names.js'

type Upgrade = (tables: RegistryTables) => string

/**
 * What leads from each version to the next. Every statement can be run again on what it has made:
 * of many processes that upgrade at once, each runs them after the others.
 */
const UPGRADES: readonly Upgrade[] = [
  ({ schema, tenants, domains }) => `
    create schema if not exists ${schema};
    create table if not exists ${tenants} (
      id uuid primary key default gen_random_uuid(),
      slug text not null unique,
      name text not null,
      schema text not null unique,
      status text not null default 'active'
        check (status in ('provisioning', 'active', 'suspended', 'deleted')),
      metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
    create table if not exists ${domains} (
      host text not null,
      path text not null default '',
      tenant_id uuid not null references ${tenants} on delete cascade,
      is_primary boolean not null default false,
      created_at timestamptz not null default now()
    );
    create unique index if not exists tenantry_domains_primary
      on ${domains} (tenant_id) where is_primary;`,
  // Several tenants may claim a domain, but it is verified for one of them only. Domains that
  // somebody has added before, or adds with an older version of the package, go on leading.
  ({ schema, domains }) => `
    alter table ${domains} add column if not exists verified_at timestamptz default now();
    alter table ${domains} drop constraint if exists tenantry_domains_pkey;
    create unique index if not exists tenantry_domains_claim on ${domains} (tenant_id, host, path);
    create unique index if not exists tenantry_domains_verified
      on ${domains} (host, path) where verified_at is not null;
    drop index if exists ${schema}.tenantry_domains_tenant;`,
]

/** The version of the tables that this version of the package works with. */
const REGISTRY_VERSION = UPGRADES.length

const NOTE = 'tenantry registry, version '

/** Reads the version from the note on the registry's first table. */
function versionIn(note: string | null | undefined): number {
  const version = note?.startsWith(NOTE) ? Number(note.slice(NOTE.length)) : 0
  return Number.isSafeInteger(version) ? version : 0
}

/** The text that brings the registry's tables from a version to the current one. */
function upgradeText(shared: SchemaName, from: number): string {
  const tables = registryTables(shared)
  // The note comes last, so that it stands for all of them.
  const note = quoteLiteral(`${NOTE}${REGISTRY_VERSION}`)
  const steps = UPGRADES.slice(from).map((step) => step(tables))
  return `${steps.join('')}\n    comment on table ${tables.tenants} is ${note};`
}

/** Makes the registry's tables in the shared schema, or brings them up to date. */
export async function installTables(db: Queryable, shared: SchemaName): Promise<void> {
  const version = await installedVersion(db, registryTables(shared).tenants)
  // Tables of a newer version are left to the processes that run it.
  if (version >= REGISTRY_VERSION) return
  // One text is one transaction; the lock keeps concurrent installers from colliding.
  const key = quoteLiteral(lockKey('registry', shared))
  await db.query(`select pg_advisory_xact_lock(${key}); ${upgradeText(shared, version)}`)
}

/**
 * Making the tables again would change nothing, but it needs the right to create schemas, and its
 * locks wait for every tenant that is being created.
 */
async function installedVersion(db: Queryable, table: string): Promise<number> {
  const { rows } = await db.query<{ note: string | null }>(
    `select obj_description(to_regclass($1), 'pg_class') as note`,
    [table],
  )
  return versionIn(rows[0]?.note)
}
