create table installments (
  id bigint generated always as identity primary key,
  -- The schedule is a part of its loan.
  loan_id bigint not null references loans on delete cascade,
  number smallint not null,
  due_on date not null,
  principal_due numeric(14,2) not null,
  interest_due numeric(14,2) not null,
  total_due numeric(14,2) not null generated always as (principal_due + interest_due) stored,
  unique (loan_id, number),
  -- Allocations and fees point at both columns, so that they cannot mix two loans.
  unique (id, loan_id),
  constraint installments_number_positive check (number > 0),
  constraint installments_parts_not_negative check (principal_due >= 0 and interest_due >= 0),
  constraint installments_total_positive check (principal_due + interest_due > 0)
);

create index installments_due_on_idx on installments (due_on);

comment on table installments is 'The repayment schedule: what a loan''s borrower owes on which day.';
