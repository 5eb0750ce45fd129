/** A file of a new project. */
export interface StarterFile {
  /** Path below the project's folder. */
  readonly path: string
  readonly text: string
}

const CONFIG = `import { defineConfig } from 'tenantry'

// The service and the command line share this file. The command line finds the database by
// --database-url or DATABASE_URL, and starts one of its own where neither is given. The service adds
// its own: new SchemaRouter({ ...config, pool }).
export default defineConfig({
  schemas: {
    shared: { name: 'public', migrations: 'migrations/public' },
    static: { main: { migrations: 'migrations/main', domains: ['app.example.com'] } },
    tenants: { prefix: 'tenant_', migrations: 'migrations/tenant', searchPath: ['public'] },
  },
})
`

const SETS = {
  public: {
    name: '1_create_countries.sql',
    up: `-- What all tenants share: they read it through their search_path.
create table countries (
  code text primary key,
  name text not null unique,
  constraint countries_code_is_iso check (code ~ '^[A-Z]{2}$')
);
`,
    down: 'drop table countries;\n',
  },
  main: {
    name: '1_create_sign_ups.sql',
    up: `-- What is there once: the home site, where a customer becomes a tenant.
create table sign_ups (
  id bigint generated always as identity primary key,
  company_name text not null,
  email text not null,
  created_at timestamptz not null default now()
);
`,
    down: 'drop table sign_ups;\n',
  },
  tenant: {
    name: '1_create_customers.sql',
    up: `-- What every tenant has for itself. No name is qualified: the schema comes from the scope.
create table customers (
  id bigint generated always as identity primary key,
  name text not null,
  country_code text references countries,
  created_at timestamptz not null default now()
);
`,
    down: 'drop table customers;\n',
  },
} as const

/** The configuration of a new project. */
export const STARTER_CONFIG: StarterFile = { path: 'tenantry.config.ts', text: CONFIG }

/** The folders of migrations of a new project, each with a first migration and its reverse. */
export const STARTER_SETS: readonly { readonly folder: string; readonly files: StarterFile[] }[] =
  Object.entries(SETS).map(([kind, { name, up, down }]) => ({
    folder: `migrations/${kind}`,
    files: [
      { path: `migrations/${kind}/${name}`, text: up },
      { path: `migrations/${kind}/down/${name}`, text: down },
    ],
  }))
