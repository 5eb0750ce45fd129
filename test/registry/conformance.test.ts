import { mappedRegistry } from 'tenantry'
import { memoryRegistry, testRegistry } from 'tenantry/testing'
import { beforeAll, describe, it } from 'vitest'
import { parseSchemaName } from '../../src/names/schema-name.js'
import { tableRegistry } from '../../src/registry/table/table-registry.js'
import { useDatabase } from '../support/database.js'

const database = useDatabase()

describe('tableRegistry', () => {
  const registry = tableRegistry(parseSchemaName('public'))
  testRegistry({ test: it, open: () => ({ registry, pool: database.pool({ max: 4 }) }) })
})

describe('memoryRegistry', () => {
  const registry = memoryRegistry()
  testRegistry({ test: it, open: () => ({ registry, pool: database.pool({ max: 4 }) }) })
})

describe('a registry that can do less', () => {
  const { channel: _, listDomains: __, ...registry } = memoryRegistry()
  const pool = (): ReturnType<typeof database.pool> => database.pool({ max: 4 })
  testRegistry({ test: it, partial: true, open: () => ({ registry, pool: pool() }) })

  const hostless = mappedRegistry({
    table: 'hostless',
    columns: { id: 'id', slug: 'slug' },
    schemaPrefix: 'tenant_',
  })
  beforeAll(() =>
    database.admin.query(
      'create table hostless (id int generated always as identity, slug text unique not null)',
    ),
  )
  describe('of the service', () => {
    testRegistry({ test: it, partial: true, open: () => ({ registry: hostless, pool: pool() }) })
  })
})

describe('mappedRegistry', () => {
  const registry = mappedRegistry({
    table: 'Sales.Customer Accounts',
    columns: {
      id: 'no',
      slug: 'sub"domain',
      schema: 'db_schema',
      name: 'title',
      status: 'state',
      metadata: 'settings',
      createdAt: 'since',
      updatedAt: 'touched',
    },
    statuses: {
      provisioning: 'new',
      active: ['live', 'trial'],
      suspended: 'unpaid',
      deleted: 'gone',
    },
    domains: {
      table: 'Sales.hosts',
      columns: {
        tenant: 'account',
        host: 'name',
        path: 'below',
        primary: 'is_main',
        verifiedAt: 'confirmed',
      },
    },
  })
  beforeAll(() =>
    database.admin.query(`
      create schema "Sales";
      create type "Sales".state as enum ('new', 'trial', 'live', 'unpaid', 'gone');
      create table "Sales"."Customer Accounts" (
        no bigint generated always as identity primary key,
        "sub""domain" varchar(63) not null unique,
        db_schema varchar(63) unique,
        title text not null,
        state "Sales".state not null default 'trial',
        settings json,
        since timestamptz not null default now(),
        touched timestamptz
      );
      create table "Sales".hosts (
        account bigint not null references "Sales"."Customer Accounts",
        name varchar(253) not null,
        below text,
        is_main boolean not null default false,
        confirmed timestamptz,
        unique (account, name, below)
      );
      create unique index on "Sales".hosts (name, below) where confirmed is not null`),
  )
  testRegistry({ test: it, open: () => ({ registry, pool: database.pool({ max: 4 }) }) })
})
