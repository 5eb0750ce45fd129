-- The service books on these accounts by their codes. A lender that has one of the codes already
-- stops here, because an account of another meaning must not be taken over in silence.
insert into ledger_accounts (code, name, kind, is_contra, is_system) values
  ('1000', 'Cash at bank', 'asset', false, true),
  ('1100', 'Loans receivable', 'asset', false, true),
  ('1110', 'Interest receivable', 'asset', false, true),
  ('1120', 'Fees receivable', 'asset', false, true),
  ('1190', 'Allowance for loan losses', 'asset', true, true),
  ('2000', 'Payments not allocated yet', 'liability', false, true),
  ('3000', 'Equity', 'equity', false, true),
  ('4000', 'Interest income', 'income', false, true),
  ('4100', 'Fee income', 'income', false, true),
  ('5000', 'Loan losses', 'expense', false, true),
  ('5100', 'Costs of payments', 'expense', false, true);
