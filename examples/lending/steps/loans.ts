import type { SchemaRouter, ScopedClient } from 'tenantry'

/** A loan to be put into a lender's books. */
export interface NewLoan {
  readonly givenName: string
  readonly familyName: string
  readonly principal: number
  /** The number of the loan in the lender's former system. */
  readonly externalRef: string
}

/** A row of {@link listLoans}. */
export interface LoanRow {
  readonly borrower: string
  /** A `numeric` arrives as text, so that no cent is lost. */
  readonly principal: string
}

/** Puts a loan into one lender's books: borrower, product and loan in one transaction. */
export async function addLoan(router: SchemaRouter, lender: string, loan: NewLoan): Promise<void> {
  await router.withTenant(
    lender,
    async (db) => {
      const borrower = await insertBorrower(db, loan)
      await insertProduct(db)
      await db.query(
        `insert into loans (borrower_id, product_id, status, principal, annual_rate_percent,
                            term_months, disbursed_on, external_ref)
         select $1, id, 'active', $2, annual_rate_percent, 12, '2026-01-31', $3
         from loan_products where code = 'personal'`,
        [borrower, loan.principal, loan.externalRef],
      )
    },
    { transaction: true },
  )
}

async function insertBorrower(db: ScopedClient, loan: NewLoan): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    'insert into borrowers (given_name, family_name) values ($1, $2) returning id',
    [loan.givenName, loan.familyName],
  )
  return rows[0]?.id
}

async function insertProduct(db: ScopedClient): Promise<void> {
  await db.query(
    `insert into loan_products (code, name, annual_rate_percent, min_principal, max_principal,
                                min_term_months, max_term_months)
     values ('personal', 'Personal loan', 8.5, 500, 25000, 6, 60)
     on conflict (code) do nothing`,
  )
}

/** The loans in one lender's books. The text names no schema: the scope says whose they are. */
export async function listLoans(router: SchemaRouter, lender: string): Promise<LoanRow[]> {
  const { rows } = await router.withTenant(lender, (db) =>
    db.query<LoanRow>(
      `select b.display_name as borrower, l.principal
       from loans l join borrowers b on b.id = l.borrower_id order by l.id`,
    ),
  )
  return rows
}
