import type { SchemaRouter } from 'tenantry'
import type { CommandResult, Tenantry } from './command-line.js'
import { addLoan } from './loans.js'
import { code, result, shortened, step } from './narration.js'
import {
  countVersions,
  deliverLanguages,
  deliverReferences,
  lookAt,
  mendReferences,
} from './rollout.js'

/** What the rollouts are shown on. */
export interface Service {
  readonly router: SchemaRouter
  /** The folder with the service's configuration and migrations. */
  readonly folder: string
  readonly tenantry: Tenantry
}

/** The lender whose data a migration will not fit. */
const UNTIDY = 'lender-17'

/** Shows two migrations that arrive: one that fails for a lender, one that leaves a lender out. */
export async function showRollouts(service: Service): Promise<void> {
  await showPreview(service)
  await showFailure(service)
  await showRepeat(service)
  await showExclusion(service)
}

async function showPreview({ router, folder, tenantry }: Service): Promise<void> {
  // This lender brought one loan over from its former system twice.
  const loan = { givenName: 'Grace', familyName: 'Hopper', principal: 900, externalRef: 'OLD-1' }
  await addLoan(router, UNTIDY, loan)
  await addLoan(router, UNTIDY, loan)

  step('A migration arrives; who will get it?')
  result(`${await deliverReferences(folder)} is now in migrations/tenant`)
  show('whowill -ds', await tenantry('whowill', '-ds'))
}

async function showFailure({ router, tenantry }: Service): Promise<void> {
  step('It reaches 49 of 50 lenders, four at a time; one has data that it does not fit')
  show('migrate -ds --parallel', await tenantry('migrate', '-ds', '--parallel'))
  await showVersions(router)
  const { version, loans, hasReference } = await lookAt(router, UNTIDY)
  const column = hasReference ? 'with' : 'without'
  result(`${UNTIDY} is as it was: version ${version}, ${loans} loans ${column} a reference`)
}

async function showRepeat({ router, tenantry }: Service): Promise<void> {
  step('The data are mended; the same command does what is left')
  code(
    `await router.withTenant('${UNTIDY}', (db) => db.query('update loans set external_ref = …'))`,
  )
  result(`${await mendReferences(router, UNTIDY)} loan mended`)
  show('migrate -ds --parallel', await tenantry('migrate', '-ds', '--parallel'))
  await showVersions(router)
}

async function showExclusion({ router, folder, tenantry }: Service): Promise<void> {
  step('Another migration arrives, and one lender is left out')
  result(`${await deliverLanguages(folder)} is now in migrations/tenant`)
  show('migrate -as -x tenant_demo', await tenantry('migrate', '-as', '-x', 'tenant_demo'))
  await showVersions(router)
  show('status -s acme demo', await tenantry('status', '-s', 'acme', 'demo'))
}

function show(command: string, { exitCode, lines, error }: CommandResult): void {
  code(`tenantry ${command}`)
  const failed = lines.filter((line) => line.includes('  failed  '))
  const others = lines.filter((line) => !failed.includes(line))
  result(...shortened(others, 3, 2), ...failed, ...error.split('\n').filter(Boolean))
  result(`exit code ${exitCode}`)
}

async function showVersions(router: SchemaRouter): Promise<void> {
  const counts = [...(await countVersions(router))].toSorted(([a], [b]) => a - b)
  const parts = counts.map(([version, count]) => `version ${version}: ${count}`)
  result(`lenders on ${parts.join(', ')}`)
}
