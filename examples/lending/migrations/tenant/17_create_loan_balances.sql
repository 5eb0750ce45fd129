-- A reversed payment keeps its allocations as a record, but they settle nothing.
create view counted_allocations as
select a.loan_id, a.payment_id, a.installment_id, a.fee_id, a.component, a.amount
from payment_allocations a
join payments p on p.id = a.payment_id
where p.reversed_at is null;

create view installment_balances as
select
  i.id as installment_id,
  i.loan_id,
  i.due_on,
  i.principal_due - coalesce(sum(a.amount) filter (where a.component = 'principal'), 0.00) as principal_open,
  i.interest_due - coalesce(sum(a.amount) filter (where a.component = 'interest'), 0.00) as interest_open
from installments i
left join counted_allocations a on a.installment_id = i.id
group by i.id;

create view fee_balances as
select f.id as fee_id, f.loan_id, f.charged_on, f.amount - coalesce(sum(a.amount), 0.00) as open
from fees f
left join counted_allocations a on a.fee_id = f.id
where f.waived_at is null
group by f.id;

create view loan_balances as
select
  l.id as loan_id,
  l.borrower_id,
  b.display_name as borrower,
  l.status,
  case when l.disbursed_on is null then 0.00 else l.principal - paid.principal end as outstanding_principal,
  fee.open as fees_open,
  due.overdue,
  due.next_due_on,
  coalesce(current_date - due.overdue_since, 0) as days_past_due
from loans l
join borrowers b on b.id = l.borrower_id
cross join lateral (
  select coalesce(sum(a.amount), 0.00) as principal
  from counted_allocations a where a.loan_id = l.id and a.component = 'principal'
) paid
cross join lateral (
  select coalesce(sum(f.open), 0.00) as open from fee_balances f where f.loan_id = l.id
) fee
cross join lateral (
  select
    coalesce(sum(i.principal_open + i.interest_open) filter (where i.due_on < current_date), 0.00) as overdue,
    min(i.due_on) filter (where i.due_on < current_date) as overdue_since,
    min(i.due_on) filter (where i.due_on >= current_date) as next_due_on
  from installment_balances i
  where i.loan_id = l.id and i.principal_open + i.interest_open > 0
) due;

comment on view loan_balances is 'The portfolio: what is still owed on each loan, and how late it is.';

-- The standard body binds its tables when it is made, so the function answers for this
-- lender under any search_path and after a rename of the schema.
create function loan_payoff(wanted_loan_id bigint, as_of date) returns numeric language sql stable
begin atomic
  select b.outstanding_principal
    + (select coalesce(sum(i.interest_open), 0.00) from installment_balances i
       where i.loan_id = b.loan_id and i.due_on <= as_of)
    + (select coalesce(sum(f.open), 0.00) from fee_balances f
       where f.loan_id = b.loan_id and f.charged_on <= as_of)
  from loan_balances b
  where b.loan_id = wanted_loan_id;
end;

comment on function loan_payoff is
  'What closes the loan on a day. Interest is owed once its installment is due.';
