/**
 * Statements that fill every table of a lender of the example, in its schema; the triggers of the
 * example act, so the audit log has rows too.
 *
 * @param loans How many loans; there are a dozen rows of other tables for each.
 */
export function lendingBooks(loans: number): string {
  return `
    insert into staff_users (email, full_name, role)
      select 'staff' || n || '@example.com', 'Ünï Staff ' || n, 'loan_officer'
      from generate_series(1, 5) n;
    insert into borrowers (given_name, family_name, email, tax_id)
      select 'Given ' || n, E'O''Hara\\t' || n, 'b' || n || '@example.com', 'T' || n
      from generate_series(1, ${loans}) n;
    insert into borrower_addresses (borrower_id, kind, line1, city, country_code)
      select id, 'residence', E'1 Main St\\nFlat ' || id, 'Łódź', 'PL' from borrowers;
    insert into loan_products (code, name, annual_rate_percent, min_principal, max_principal,
        min_term_months, max_term_months)
      values ('personal', 'Personal loan', 8.5, 500, 25000, 6, 60);
    insert into loan_applications (borrower_id, product_id, status, requested_principal,
        requested_term_months, decided_by, decided_at)
      select b.id, p.id, 'approved', 1200, 12, 1, now() from borrowers b, loan_products p;
    insert into loans (borrower_id, product_id, application_id, status, principal,
        annual_rate_percent, term_months, disbursed_on, external_ref)
      select borrower_id, product_id, id, 'active', 1200, 8.5, 12, '2026-01-31', 'X-' || id
      from loan_applications;
    insert into loan_collateral (loan_id, kind, description, registry_number, appraised_value,
        appraised_on)
      select id, 'vehicle', 'a car', 'VIN' || id, 5000, '2026-01-01' from loans;
    insert into installments (loan_id, number, due_on, principal_due, interest_due)
      select id, n, date '2026-01-31' + n * 30, 100, 8.5 from loans, generate_series(1, 4) n;
    insert into payments (loan_id, amount, method, received_on, bank_ref, recorded_by)
      select loan_id, total_due, 'bank_transfer', due_on, 'B' || id, 1 from installments
      where number <= 2;
    insert into fees (loan_id, installment_id, kind, amount)
      select loan_id, id, 'late', 15 from installments where number = 2;
    insert into payment_allocations (loan_id, payment_id, component, installment_id, amount)
      select p.loan_id, p.id, 'principal', i.id, 100
      from payments p join installments i on i.loan_id = p.loan_id and 'B' || i.id = p.bank_ref;
    insert into journal_entries (description, loan_id, payment_id)
      select 'payment', loan_id, id from payments;
    insert into ledger_entries (journal_entry_id, account_id, debit, credit)
      select j.id, a.id, case a.code when '1000' then 100 else 0 end,
        case a.code when '1100' then 100 else 0 end
      from journal_entries j, ledger_accounts a where a.code in ('1000', '1100');
    insert into journal_entries (description, reverses_id)
      select 'reversal', id from journal_entries where id % 10 = 0;
    insert into documents (borrower_id, kind, file_name, media_type, storage_key, byte_size, sha256)
      select id, 'id', 'passport "' || id || '".pdf', 'application/pdf', 'key/' || id, 4711,
        sha256(id::text::bytea)
      from borrowers;
    insert into notes (loan_id, author_id, body) select id, 1, repeat('Ω said \\N ', 40) from loans;
    update lender_settings set logo_document_id = (select id from documents limit 1);
    update payments set reversed_at = 'infinity', reversal_reason = 'bounced' where id % 50 = 0;`
}
