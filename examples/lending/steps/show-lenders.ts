import type { SchemaRouter } from 'tenantry'
import { addLoan, listLoans } from './loans.js'
import { code, duration, result, step } from './narration.js'
import { askWithoutScope } from './refusal.js'
import { findLender, migrateFixedSchemas, signUp, signUpMany } from './tenants.js'

/** The lenders besides the two that the story is about. */
export const OTHER_LENDERS: readonly string[] = Array.from(
  { length: 48 },
  (_, index) => `lender-${String(index + 1).padStart(2, '0')}`,
)

/** Shows the registry, the fixed schemas and the first two lenders. */
export async function showLenders(router: SchemaRouter): Promise<void> {
  step('The registry, and the schemas that are there once')
  code('await router.migrations.up({ select: select.union(select.shared(), select.static()) })')
  const { outcomes } = await migrateFixedSchemas(router)
  for (const { schema, applied, durationMs } of outcomes) {
    result(`${schema}: ${applied.length} migrations in ${duration(durationMs)}`)
  }

  step('Two lenders sign up, each in one transaction')
  code("await router.tenants.create({ slug: 'acme', domains: ['acme.app.example.com'] })")
  for (const [slug, name] of Object.entries({ acme: 'Acme Lending', demo: 'Demo Corp' })) {
    const { schema, tables, durationMs } = await signUp(router, slug, name)
    result(`${schema}: ${tables} tables in ${duration(durationMs)}`)
  }
}

/** Shows that a query answers for its lender only, and for nobody without one. */
export async function showScopes(router: SchemaRouter): Promise<void> {
  step('One query, two answers')
  const personal = { givenName: 'Ada', familyName: 'Lovelace', principal: 1200 }
  await addLoan(router, 'acme', { ...personal, externalRef: 'OLD-1' })
  const other = { givenName: 'Charles', familyName: 'Babbage', principal: 5000 }
  await addLoan(router, 'demo', { ...other, externalRef: 'OLD-1' })
  for (const lender of ['acme', 'demo']) {
    code(`await router.withTenant('${lender}', (db) => db.query('select … from loans …'))`)
    const loans = await listLoans(router, lender)
    result(...loans.map(({ borrower, principal }) => `${borrower}: ${principal}`))
  }

  step('From the host of a request to the lender')
  code("await router.resolve({ host: 'ACME.app.example.com:443', path: '/loans' })")
  const found = await findLender(router, 'ACME.app.example.com:443')
  result(
    found?.kind === 'tenant' ? `${found.tenant.name}, schema ${found.tenant.schema}` : 'nobody',
  )

  step('No lender, no query')
  code("await router.pool.query('select * from loans')")
  const refusal = await askWithoutScope(router)
  result(`${refusal?.code}: ${refusal?.message}`)
}

/** Shows 48 more lenders signing up. */
export async function showGrowth(router: SchemaRouter): Promise<void> {
  step('48 more lenders')
  code("await router.tenants.create({ slug: 'lender-01' })   // … and so on")
  const took = await signUpMany(router, OTHER_LENDERS)
  result(`${OTHER_LENDERS.length} lenders in ${duration(took)}`)
}
