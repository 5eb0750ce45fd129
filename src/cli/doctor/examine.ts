import type { SchemaRouter } from 'tenantry'
import pg, { type ClientBase } from 'pg'
import { urlOf } from '../database-url.js'
import { EXIT, exitCodeOf } from '../exit-code.js'
import { errorLine } from '../render/error.js'
import type { LentDatabase } from '../router.js'
import type { Check, DoctorFinding, Patient } from './finding.js'
import * as fleet from './fleet.js'
import { pooler } from './pooler.js'
import * as server from './server.js'
import { strayObjects } from './stray.js'

type NamedCheck = readonly [name: string, check: Check]

/** What can be looked at also where the tenants cannot be read. */
const SERVER_CHECKS: readonly NamedCheck[] = [
  ['version', server.version],
  ['pooler', pooler],
  ['connections', server.connections],
  ['unscoped path', server.unscopedPath],
  ['catalog', server.catalog],
  ['right to create', fleet.createRight],
]

const FLEET_CHECKS: readonly NamedCheck[] = [
  ['locks', server.locks],
  ['owner of schemas', fleet.owner],
  ['tenants without a schema', fleet.missingSchemas],
  ['schemas without a tenant', fleet.strangeSchemas],
  ['names by case', fleet.namesByCase],
  ['stray objects', strayObjects],
  ['invalid indexes', fleet.invalidIndexes],
  ['migrations', fleet.pending],
]

/** What is examined, and how closely. */
export interface Examination {
  readonly router: SchemaRouter
  readonly database: LentDatabase
  /** Compares schemas with their migrations, too. */
  readonly drift: boolean
}

/** Looks at everything that experience says goes wrong. */
export async function examine(examination: Examination): Promise<readonly DoctorFinding[]> {
  const withClient = clientsOf(examination.database)
  try {
    return await withClient(async (client) => {
      const connection = await server.connection({ client })
      return [connection, ...(await look(examination, client, withClient))]
    })
  } catch (error) {
    return [failed('connection', error, 'nothing else can be seen before')]
  }
}

async function look(
  { router, database, drift }: Examination,
  client: ClientBase,
  withClient: Patient['withClient'],
): Promise<readonly DoctorFinding[]> {
  const bare = withoutTenants(router, database, client, withClient)
  const findings: DoctorFinding[] = []
  for (const [name, check] of SERVER_CHECKS) findings.push(await tried(name, check, bare))
  try {
    const patient = await withTenants(bare)
    const checks = drift ? [...FLEET_CHECKS, ['drift', fleet.drift] as const] : FLEET_CHECKS
    for (const [name, check] of checks) findings.push(await tried(name, check, patient))
  } catch (error) {
    findings.push(failed('registry', error, 'the tenants cannot be seen before'))
  }
  return findings
}

/** A look that fails is a finding, and keeps nobody from the others. */
async function tried(name: string, check: Check, patient: Patient): Promise<DoctorFinding> {
  try {
    return await check(patient)
  } catch (error) {
    return failed(name, error, 'this cannot be seen before')
  }
}

function failed(check: string, error: unknown, why: string): DoctorFinding {
  const message = errorLine(error)
  if (exitCodeOf(error) === EXIT.locked) {
    const advice = `Others hold a lock. Look again when they are done: ${why}.`
    return { check, level: 'locked', message, advice }
  }
  return { check, level: 'error', message, advice: `Correct that, and look again: ${why}.` }
}

function clientsOf(database: LentDatabase): Patient['withClient'] {
  const connectionString = urlOf(database)
  return async (fn) => {
    // Encryption and the like are options of their own.
    const options = database.config.pool?.options ?? database.config.poolOptions
    const client = new pg.Client({ ...options, connectionString })
    // A lost connection is told by the query that it costs.
    client.on('error', () => {})
    await client.connect()
    try {
      return await fn(client)
    } finally {
      await client.end()
    }
  }
}

function withoutTenants(
  router: SchemaRouter,
  { config }: LentDatabase,
  client: ClientBase,
  withClient: Patient['withClient'],
): Patient {
  const { shared, static: statics = {}, tenants } = config.schemas ?? {}
  const schemas = [shared?.name ?? 'public', ...Object.keys(statics)]
  const prefix = tenants?.prefix ?? 'tenant_'
  return { router, config, client, withClient, tenants: [], schemas, prefix }
}

async function withTenants(bare: Patient): Promise<Patient> {
  const status = ['provisioning', 'active', 'suspended', 'deleted'] as const
  const tenants = await bare.router.tenants.list({ status })
  return { ...bare, tenants, schemas: [...bare.schemas, ...tenants.map(({ schema }) => schema)] }
}
