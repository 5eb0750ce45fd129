create type sign_up_status as enum ('pending', 'approved', 'rejected');

create table sign_up_requests (
  -- The applicant follows the request by a link, so its id must not be guessable.
  id uuid primary key default gen_random_uuid(),
  company_name text not null,
  desired_slug text not null,
  plan_id bigint not null references plans,
  requested_by bigint not null references users on delete cascade,
  status sign_up_status not null default 'pending',
  decided_by bigint references users on delete set null,
  decided_at timestamptz,
  created_at timestamptz not null default now(),
  -- The slug becomes a host name and a part of a schema's name: what both allow.
  constraint sign_up_requests_slug_fits check (desired_slug ~ '^[a-z][a-z0-9]{1,30}$'),
  constraint sign_up_requests_decision_dated check ((status = 'pending') = (decided_at is null))
);

-- Two companies may not wait for one slug; a rejected request gives it free.
create unique index sign_up_requests_slug_key on sign_up_requests (desired_slug) where status <> 'rejected';
create index sign_up_requests_plan_id_idx on sign_up_requests (plan_id);
create index sign_up_requests_requested_by_idx on sign_up_requests (requested_by);
create index sign_up_requests_pending_idx on sign_up_requests (created_at) where status = 'pending';

comment on table sign_up_requests is 'Companies that ask to become a lender on the platform.';
