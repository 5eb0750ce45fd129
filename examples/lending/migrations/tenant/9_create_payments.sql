create table payments (
  id bigint generated always as identity primary key,
  loan_id bigint not null references loans,
  amount numeric(14,2) not null,
  method text not null,
  received_on date not null default current_date,
  bank_ref text,
  recorded_by bigint references staff_users,
  reversed_at timestamptz,
  reversal_reason text,
  created_at timestamptz not null default now(),
  -- Allocations point at both columns, so that they cannot mix two loans.
  unique (id, loan_id),
  constraint payments_amount_positive check (amount > 0),
  constraint payments_method_known check (method in ('cash', 'card', 'wire', 'debit', 'check')),
  constraint payments_reversal_explained check ((reversed_at is null) = (reversal_reason is null))
);

-- The bank sends a statement twice now and then; the second one must not count.
create unique index payments_bank_ref_key on payments (bank_ref) where bank_ref is not null;
create index payments_loan_id_idx on payments (loan_id, received_on);
create index payments_recorded_by_idx on payments (recorded_by);

comment on table payments is 'Money received from borrowers. A payment is reversed, never deleted.';
comment on column payments.bank_ref is 'The bank''s own identifier of the transfer.';
