create type fee_kind as enum ('origination', 'late', 'returned_payment', 'early_repayment', 'other');

create table fees (
  id bigint generated always as identity primary key,
  loan_id bigint not null references loans,
  installment_id bigint,
  kind fee_kind not null,
  amount numeric(14,2) not null,
  charged_on date not null default current_date,
  waived_at timestamptz,
  waived_by bigint references staff_users,
  -- Allocations point at both columns, so that they cannot mix two loans.
  unique (id, loan_id),
  foreign key (installment_id, loan_id) references installments (id, loan_id),
  constraint fees_amount_positive check (amount > 0),
  constraint fees_late_has_installment check ((kind = 'late') = (installment_id is not null)),
  constraint fees_waiver_signed check (num_nonnulls(waived_at, waived_by) in (0, 2))
);

-- The nightly job may run twice; a borrower is late with an installment once.
create unique index fees_late_key on fees (installment_id) where kind = 'late';
create index fees_loan_id_idx on fees (loan_id);
create index fees_waived_by_idx on fees (waived_by) where waived_by is not null;

comment on table fees is 'Charges besides the interest. A fee is waived, never deleted.';
