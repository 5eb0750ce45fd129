import { escapeIdentifier } from 'pg'
import { SchemaRouter, type TenantHooks } from 'tenantry'

const roleOf = (tenant: { id: string }) => `tenant_${tenant.id}`

const hooks: TenantHooks = {
  async afterCreate({ tenant, db }) {
    const role = escapeIdentifier(roleOf(tenant))
    const schema = escapeIdentifier(tenant.schema)
    await db.query(`
      create role ${role} nologin;
      grant ${role} to current_user;
      grant usage on schema ${schema} to ${role};
      grant select, insert, update, delete on all tables in schema ${schema} to ${role};
      grant usage on all sequences in schema ${schema} to ${role};
      alter default privileges in schema ${schema} grant select, insert, update, delete on tables to ${role};
      alter default privileges in schema ${schema} grant usage on sequences to ${role}`)
  },
  async beforePurge({ tenant, db }) {
    const role = escapeIdentifier(roleOf(tenant))
    await db.query(`drop owned by ${role}; drop role ${role}`)
  },
}

export const openRouter = (connectionString: string, migrations: string): SchemaRouter =>
  new SchemaRouter({
    connectionString,
    schemas: { tenants: { prefix: 'tenant_', migrations } },
    scope: { settings: ({ tenant }) => (tenant ? { role: roleOf(tenant) } : {}) },
    hooks,
  })
