create type loan_status as enum ('approved', 'active', 'in_arrears', 'closed', 'written_off', 'cancelled');

create table loans (
  id bigint generated always as identity primary key,
  borrower_id bigint not null references borrowers,
  product_id bigint not null references loan_products,
  application_id bigint unique,
  external_ref text,
  status loan_status not null default 'approved',
  principal numeric(14,2) not null,
  annual_rate_percent numeric(6,3) not null,
  term_months smallint not null,
  disbursed_on date,
  -- Without a disbursement the sum is null: a loan that is only approved has no last day yet.
  matures_on date generated always as ((disbursed_on + make_interval(months => term_months))::date) stored,
  closed_on date,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (application_id, borrower_id) references loan_applications (id, borrower_id),
  constraint loans_principal_positive check (principal > 0),
  constraint loans_rate_sane check (annual_rate_percent between 0 and 100),
  constraint loans_term_positive check (term_months > 0),
  constraint loans_disbursed_unless_pending check (
    (status in ('approved', 'cancelled')) = (disbursed_on is null)
  ),
  constraint loans_closing_dated check (
    (status in ('closed', 'written_off', 'cancelled')) = (closed_on is not null)
  )
);

create index loans_borrower_id_idx on loans (borrower_id);
create index loans_product_id_idx on loans (product_id);
create index loans_external_ref_idx on loans (external_ref) where external_ref is not null;
-- Most loans of an old lender are closed; the daily work is done on the others.
create index loans_running_idx on loans (matures_on) where status in ('active', 'in_arrears');

comment on table loans is 'Contracts, from the approval to the last payment or the write-off.';
comment on column loans.external_ref is 'The number in the lender''s former system, as it was typed there.';
comment on column loans.annual_rate_percent is 'The agreed rate; a change of the product does not touch it.';

create trigger set_updated_at before update on loans
  for each row execute function set_updated_at();
