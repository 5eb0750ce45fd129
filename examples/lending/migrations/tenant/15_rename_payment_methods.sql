-- The bank's statements say "bank_transfer" and "direct_debit"; one vocabulary saves a mapping.
-- Each old word has exactly one new word, so the reverse restores every row.
alter table payments drop constraint payments_method_known;

update payments
set method = case method when 'wire' then 'bank_transfer' when 'debit' then 'direct_debit' end
where method in ('wire', 'debit');

alter table payments add constraint payments_method_known
  check (method in ('cash', 'card', 'bank_transfer', 'direct_debit', 'check'));
