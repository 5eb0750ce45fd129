import { type SchemaName, quoteIdent, quoteLiteral } from '../names/schema-name.js'

/** The registry's tables, qualified with the shared schema. */
export interface RegistryTables {
  readonly tenants: string
  readonly domains: string
}

/** The names of the registry's tables in a shared schema. */
export function registryTables(shared: SchemaName): RegistryTables {
  const schema = quoteIdent(shared)
  return { tenants: `${schema}.tenantry_tenants`, domains: `${schema}.tenantry_domains` }
}

/** The note on the registry's first table; it is written last, so it stands for all of them. */
export const REGISTRY_NOTE = 'tenantry registry, version 1'

/** The text that makes the registry's tables. It can be run again, and by many processes at once. */
export function registryDdl(shared: SchemaName): string {
  const { tenants, domains } = registryTables(shared)
  return `
    create schema if not exists ${quoteIdent(shared)};
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
      created_at timestamptz not null default now(),
      primary key (host, path)
    );
    create index if not exists tenantry_domains_tenant on ${domains} (tenant_id);
    create unique index if not exists tenantry_domains_primary
      on ${domains} (tenant_id) where is_primary;
    comment on table ${tenants} is ${quoteLiteral(REGISTRY_NOTE)};
  `
}
