import { randomBytes } from 'node:crypto'
import { escapeIdentifier, type Client } from 'pg'
import type { TestProject } from 'vitest/node'
import { dropDatabase, withClient, withDatabase } from './database-url.js'
import { openPostgresSource, type PostgresSource } from './postgres-source.js'
import { prepareTemplate } from './template.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of an administrator of the run's server. */
    postgresUrl: string
    /** Database to copy for a test file. */
    templateDatabase: string
    /** What the names of all databases of this run begin with. */
    databasePrefix: string
  }
}

interface Run {
  readonly source: PostgresSource
  readonly template: string
  readonly prefix: string
}

let run: Run | undefined

/** Brings up one PostgreSQL for the whole run, with a template for the databases of test files. */
export async function setup(project: TestProject): Promise<void> {
  const id = randomBytes(4).toString('hex')
  const source = await openPostgresSource()
  run = { source, template: `tenantry_template_${id}`, prefix: `tenantry_test_${id}_` }
  const version = await createTemplate(run)
  console.log(`Tests run on PostgreSQL ${version} (${source.kind})`)
  project.provide('postgresUrl', source.url)
  project.provide('templateDatabase', run.template)
  project.provide('databasePrefix', run.prefix)
}

/** Leaves a server that stays as it was found, and stops any other. */
export async function teardown(): Promise<void> {
  if (run === undefined) return
  const { source, template, prefix } = run
  if (source.stays) await withClient(source.url, (admin) => dropAll(admin, template, prefix))
  await source.stop()
}

async function createTemplate({ source, template }: Run): Promise<string> {
  return withClient(source.url, async (admin) => {
    await admin.query(`create database ${escapeIdentifier(template)} template template0`)
    await withClient(withDatabase(source.url, template), prepareTemplate)
    await setTemplate(admin, template, true)
    const { rows } = await admin.query<{ server_version: string }>('show server_version')
    return rows[0]?.server_version ?? 'unknown'
  })
}

// Connections to a template would make `create database` fail: nobody gets one.
async function setTemplate(admin: Client, template: string, is: boolean): Promise<void> {
  await admin.query(
    `alter database ${escapeIdentifier(template)} is_template ${is} allow_connections ${!is}`,
  )
}

// Test files drop their own databases; those of files that crashed are still there.
async function dropAll(admin: Client, template: string, prefix: string): Promise<void> {
  const { rows } = await admin.query<{ datname: string }>(
    'select datname from pg_database where starts_with(datname, $1)',
    [prefix],
  )
  for (const { datname } of rows) await dropDatabase(admin, datname)
  await setTemplate(admin, template, false)
  await dropDatabase(admin, template)
}
