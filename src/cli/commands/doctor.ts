import type { SchemaRouter } from 'tenantry'
import type { Command } from 'commander'
import pg, { type ClientBase } from 'pg'
import { urlOf } from '../database-url.js'
import type { Define } from '../definition.js'
import type { Check, DoctorFinding, Patient } from '../doctor/finding.js'
import * as fleet from '../doctor/fleet.js'
import * as server from '../doctor/server.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption } from '../flags.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { doctorLines } from '../render/doctor.js'
import { errorLine } from '../render/error.js'
import { type ConnectionFlags, type LentDatabase, withRouter } from '../router.js'

/** `tenantry doctor` */
export const defineDoctor: Define = (program, settle) => {
  program
    .command('doctor')
    .description('look at the server, the rights and all schemas, and say what to do')
    .option('--no-drift', 'do not compare schemas with their migrations, which takes longest')
    .addOption(jsonOption())
    .action(async (_flags, command: Command) => settle(await doctor(command.optsWithGlobals())))
}

/** Flags of `tenantry doctor`. */
export interface DoctorFlags extends ConnectionFlags, OutputFlags {
  readonly drift: boolean
}

const CHECKS: readonly Check[] = [
  server.version,
  server.pooler,
  server.connections,
  server.unscopedPath,
  server.catalog,
  server.locks,
  fleet.createRight,
  fleet.owner,
  fleet.missingSchemas,
  fleet.strangeSchemas,
  fleet.namesByCase,
  fleet.strayTables,
  fleet.invalidIndexes,
  fleet.pending,
]

/** Looks at everything that experience says goes wrong. */
async function doctor(flags: DoctorFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  const checks = flags.drift ? [...CHECKS, fleet.drift] : CHECKS
  return withRouter(flags, { output }, async (router, database) => {
    const findings = await examine(router, database, checks)
    for (const line of doctorLines(findings, output.colors)) output.tell(line)
    if (flags.json) printJson(output, findings)
    return exitCode(findings)
  })
}

async function examine(
  router: SchemaRouter,
  database: LentDatabase,
  checks: readonly Check[],
): Promise<readonly DoctorFinding[]> {
  const connectionString = urlOf(database)
  const withClient = async <T>(fn: (client: ClientBase) => Promise<T>): Promise<T> => {
    // Encryption and the like are options of their own.
    const options = database.config.pool?.options ?? database.config.poolOptions
    const client = new pg.Client({ ...options, connectionString })
    await client.connect()
    try {
      return await fn(client)
    } finally {
      await client.end()
    }
  }
  try {
    return await withClient(async (client) => {
      const findings = [await server.connection({ client })]
      const patient = await patientOf(router, database, client, withClient)
      for (const check of checks) findings.push(await check(patient))
      return findings
    })
  } catch (error) {
    const advice = 'Correct that, and look again: nothing else can be seen before.'
    return [{ check: 'connection', level: 'error', message: errorLine(error), advice }]
  }
}

async function patientOf(
  router: SchemaRouter,
  { config }: LentDatabase,
  client: ClientBase,
  withClient: Patient['withClient'],
): Promise<Patient> {
  const { shared, static: statics = {}, tenants: options } = config.schemas ?? {}
  const status = ['provisioning', 'active', 'suspended', 'deleted'] as const
  const tenants = await router.tenants.list({ status })
  const fixed = [shared?.name ?? 'public', ...Object.keys(statics)]
  return {
    router,
    config,
    client,
    withClient,
    tenants,
    schemas: [...fixed, ...tenants.map(({ schema }) => schema)],
    prefix: options?.prefix ?? 'tenant_',
  }
}

function exitCode(findings: readonly DoctorFinding[]): ExitCode {
  const has = (level: DoctorFinding['level']): boolean =>
    findings.some((finding) => finding.level === level)
  if (has('error')) return EXIT.failed
  return has('drift') ? EXIT.pending : EXIT.fine
}
