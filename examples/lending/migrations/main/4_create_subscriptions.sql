create table subscriptions (
  id bigint generated always as identity primary key,
  -- The registry of tenants belongs to another component, so its key is kept without a foreign key.
  tenant_slug text not null,
  plan_id bigint not null references plans,
  owner_id bigint not null references users,
  billing_email text not null,
  started_on date not null default current_date,
  ended_on date,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint subscriptions_ends_after_start check (ended_on >= started_on)
);

-- A lender that changes its plan ends one subscription and starts another.
create unique index subscriptions_running_key on subscriptions (tenant_slug) where ended_on is null;
create index subscriptions_plan_id_idx on subscriptions (plan_id);
create index subscriptions_owner_id_idx on subscriptions (owner_id);

comment on table subscriptions is 'Which lender is, or was, on which plan.';

create trigger set_updated_at before update on subscriptions
  for each row execute function set_updated_at();
