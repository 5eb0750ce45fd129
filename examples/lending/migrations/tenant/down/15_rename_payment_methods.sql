alter table payments drop constraint payments_method_known;

update payments
set method = case method when 'bank_transfer' then 'wire' when 'direct_debit' then 'debit' end
where method in ('bank_transfer', 'direct_debit');

alter table payments add constraint payments_method_known
  check (method in ('cash', 'card', 'wire', 'debit', 'check'));
