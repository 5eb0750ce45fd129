create type application_status as enum ('draft', 'submitted', 'approved', 'declined', 'withdrawn');

create table loan_applications (
  id bigint generated always as identity primary key,
  borrower_id bigint not null references borrowers,
  product_id bigint not null references loan_products,
  status application_status not null default 'draft',
  requested_principal numeric(14,2) not null,
  requested_term_months smallint not null,
  purpose text,
  assigned_to bigint references staff_users,
  decided_by bigint references staff_users,
  decided_at timestamptz,
  decline_reason text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- A loan points at both columns, so that it cannot go to somebody else than the applicant.
  unique (id, borrower_id),
  constraint loan_applications_request_positive check (requested_principal > 0 and requested_term_months > 0),
  constraint loan_applications_decision_signed check (
    num_nonnulls(decided_by, decided_at) = case when status in ('approved', 'declined') then 2 else 0 end
  ),
  constraint loan_applications_decline_explained check ((status = 'declined') = (decline_reason is not null))
);

-- A second click on "apply" must not open a second case.
create unique index loan_applications_open_key
  on loan_applications (borrower_id, product_id) where status in ('draft', 'submitted');
create index loan_applications_borrower_id_idx on loan_applications (borrower_id);
create index loan_applications_product_id_idx on loan_applications (product_id);
create index loan_applications_decided_by_idx on loan_applications (decided_by);
create index loan_applications_queue_idx
  on loan_applications (assigned_to, created_at) where status = 'submitted';

comment on table loan_applications is 'Requests for a loan, from the draft to the decision.';

create trigger set_updated_at before update on loan_applications
  for each row execute function set_updated_at();
