import { describe, expect, it } from 'vitest'
import { parseHost } from '../../src/names/domain-name.js'
import { parseSchemaName } from '../../src/names/schema-name.js'
import { tableRegistry } from '../../src/registry/table/table-registry.js'
import { useDatabase } from '../support/database.js'

const database = useDatabase()

/** The tables as version 1 has made them. */
const VERSION_1 = `
  create table tenantry_tenants (
    id uuid primary key default gen_random_uuid(), slug text not null unique, name text not null,
    schema text not null unique, status text not null default 'active',
    metadata jsonb not null default '{}', created_at timestamptz not null default now(),
    updated_at timestamptz not null default now());
  create table tenantry_domains (
    host text not null, path text not null default '',
    tenant_id uuid not null references tenantry_tenants on delete cascade,
    is_primary boolean not null default false, created_at timestamptz not null default now(),
    primary key (host, path));
  create index tenantry_domains_tenant on tenantry_domains (tenant_id);
  create unique index tenantry_domains_primary on tenantry_domains (tenant_id) where is_primary;
  insert into tenantry_tenants (slug, name, schema) values ('acme', 'Acme', 'tenant_acme');
  insert into tenantry_domains (host, tenant_id) select 'acme.test', id from tenantry_tenants;
  comment on table tenantry_tenants is 'tenantry registry, version 1'`

describe('tableRegistry', () => {
  const registry = tableRegistry(parseSchemaName('public'))

  it('brings up an older version, however many processes install at once', async () => {
    await database.admin.query(VERSION_1)
    const pools = Array.from({ length: 6 }, () => database.pool({ max: 1 }))
    await Promise.all(pools.map((pool) => registry.install(pool)))
    const answer = await registry.lookUp(database.admin, {
      slugs: [],
      hosts: [parseHost('acme.test')],
    })
    expect(answer).toMatchObject({
      tenants: [{ slug: 'acme' }],
      domains: [{ host: 'acme.test', verified: true }],
    })
  })

  it('writes nothing where it is current, or newer', async () => {
    const reader = database.pool({ options: '-c default_transaction_read_only=on' })
    await registry.install(reader)
    await database.admin.query(
      `comment on table tenantry_tenants is 'tenantry registry, version 99'`,
    )
    await registry.install(reader)
    const { rows } = await database.admin.query<{ note: string }>(
      `select obj_description('tenantry_tenants'::regclass) as note`,
    )
    expect(rows).toEqual([{ note: 'tenantry registry, version 99' }])
  })
})
