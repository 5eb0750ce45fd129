import { rm } from 'node:fs/promises'
import { SchemaRouter } from 'tenantry'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Tenantry, tenantryIn } from '../../examples/lending/steps/command-line.js'
import { addLoan, listLoans } from '../../examples/lending/steps/loans.js'
import { askWithoutScope } from '../../examples/lending/steps/refusal.js'
import {
  countVersions,
  deliverLanguages,
  deliverReferences,
  lookAt,
  mendReferences,
} from '../../examples/lending/steps/rollout.js'
import { OTHER_LENDERS } from '../../examples/lending/steps/show-lenders.js'
import {
  findLender,
  migrateFixedSchemas,
  signUp,
  signUpMany,
} from '../../examples/lending/steps/tenants.js'
import { openWorkspace } from '../../examples/lending/steps/workspace.js'
import config from '../../examples/lending/tenantry.config.js'
import { buildBinary } from '../cli/binary.js'
import { useDatabase } from '../support/database.js'

const UNTIDY = 'lender-17'
const loan = { givenName: 'Grace', familyName: 'Hopper', principal: 900, externalRef: 'OLD-1' }

const database = useDatabase()
const home = process.cwd()
let folder: string
let router: SchemaRouter
let tenantry: Tenantry

beforeAll(async () => {
  await buildBinary()
  folder = await openWorkspace()
  process.chdir(folder)
  router = SchemaRouter.fromConfig({ ...config, pool: database.pool() })
  tenantry = tenantryIn(folder, database.url)
})

afterAll(async () => {
  process.chdir(home)
  await rm(folder, { recursive: true })
})

// The tests are the steps of the demo, in its order: each begins where the one before ended.
describe('the demo', () => {
  it('migrates the schemas that are there once', async () => {
    const { outcomes } = await migrateFixedSchemas(router)
    expect(outcomes).toMatchObject([
      { schema: 'public', status: 'done', applied: { length: 2 } },
      { schema: 'main', status: 'done', applied: { length: 4 } },
    ])
  })

  it('signs up two lenders with all of their tables', async () => {
    const acme = await signUp(router, 'acme', 'Acme Lending')
    const demo = await signUp(router, 'demo', 'Demo Corp')
    expect(acme).toMatchObject({ schema: 'tenant_acme', tables: 19 })
    expect(demo).toMatchObject({ schema: 'tenant_demo', tables: 19 })
    expect(await countVersions(router)).toEqual(new Map([[18, 2]]))
  })

  it('answers one query differently for each lender', async () => {
    await addLoan(router, 'acme', { ...loan, principal: 1200 })
    await addLoan(router, 'demo', { ...loan, givenName: 'Ada', familyName: 'Lovelace' })
    expect(await listLoans(router, 'acme')).toEqual([
      { borrower: 'Grace Hopper', principal: '1200.00' },
    ])
    expect(await listLoans(router, 'demo')).toEqual([
      { borrower: 'Ada Lovelace', principal: '900.00' },
    ])
  })

  it('finds the lender, or the home site, behind a host', async () => {
    expect(await findLender(router, 'ACME.app.example.com:443')).toMatchObject({
      kind: 'tenant',
      tenant: { slug: 'acme', schema: 'tenant_acme' },
    })
    expect(await findLender(router, 'app.example.com')).toEqual({ kind: 'static', schema: 'main' })
    expect(await findLender(router, 'nobody.example.com')).toBeUndefined()
  })

  it('refuses a query outside of a scope', async () => {
    expect(await askWithoutScope(router)).toMatchObject({ code: 'TENANT_NO_SCOPE' })
  })

  it('signs up 48 more lenders', { timeout: 120_000 }, async () => {
    await signUpMany(router, OTHER_LENDERS)
    expect(await countVersions(router)).toEqual(new Map([[18, 50]]))
  })

  it('names the 50 lenders that a migration is for, and touches none', async () => {
    await addLoan(router, UNTIDY, loan)
    await addLoan(router, UNTIDY, loan)
    await deliverReferences(folder)
    const { exitCode, lines } = await tenantry('whowill', '-ds')
    expect(exitCode).toBe(0)
    expect(lines).toHaveLength(50)
    expect(lines).toContain('tenant_lender-48')
    expect(await countVersions(router)).toEqual(new Map([[18, 50]]))
  })

  it('migrates 49 lenders, and leaves the one that fails as it was', async () => {
    const { exitCode, lines, error } = await tenantry('migrate', '-ds', '--parallel')
    expect(exitCode).toBe(1)
    expect(lines.at(-1)).toContain('50 schemas: 49 migrated, 1 failed')
    expect(error).toMatch(/^MIGRATION_RUN_FAILED: 1 of 50 /)
    expect(await countVersions(router)).toEqual(
      new Map([
        [18, 1],
        [19, 49],
      ]),
    )
    expect(await lookAt(router, UNTIDY)).toEqual({ version: 18, loans: 2, hasReference: false })
    expect(await lookAt(router, 'acme')).toEqual({ version: 19, loans: 1, hasReference: true })
  })

  it('finishes the rest when the data are mended', async () => {
    expect(await mendReferences(router, UNTIDY)).toBe(1)
    const { exitCode, lines } = await tenantry('migrate', '-ds', '--parallel')
    expect(exitCode).toBe(0)
    expect(lines.at(-1)).toContain('50 schemas: 1 migrated, 49 current')
    expect(await countVersions(router)).toEqual(new Map([[19, 50]]))
    expect(await lookAt(router, UNTIDY)).toEqual({ version: 19, loans: 2, hasReference: true })
  })

  it('leaves an excluded lender on its version', async () => {
    await deliverLanguages(folder)
    expect((await tenantry('migrate', '-as', '-x', 'tenant_demo')).exitCode).toBe(0)
    expect(await countVersions(router)).toEqual(
      new Map([
        [19, 1],
        [20, 49],
      ]),
    )
    expect(await lookAt(router, 'demo')).toMatchObject({ version: 19 })
    expect((await tenantry('status', '-s', 'acme', 'demo')).exitCode).toBe(3)
  })
})
