import { type TenantryConfig, defineConfig } from 'tenantry'

/** The schemas of the lending service; the service and the command line share this file. */
const config: TenantryConfig = defineConfig({
  schemas: {
    shared: { name: 'public', migrations: 'migrations/public' },
    static: { main: { migrations: 'migrations/main', domains: ['app.example.com'] } },
    tenants: { prefix: 'tenant_', migrations: 'migrations/tenant', searchPath: ['public'] },
  },
})

export default config
