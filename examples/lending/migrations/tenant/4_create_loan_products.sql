create type repayment_method as enum ('annuity', 'equal_principal', 'bullet');

create table loan_products (
  id bigint generated always as identity primary key,
  code text not null unique,
  name text not null,
  repayment_method repayment_method not null default 'annuity',
  annual_rate_percent numeric(6,3) not null,
  min_principal numeric(14,2) not null,
  max_principal numeric(14,2) not null,
  min_term_months smallint not null,
  max_term_months smallint not null,
  late_fee numeric(14,2) not null default 0,
  is_offered boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint loan_products_rate_sane check (annual_rate_percent between 0 and 100),
  constraint loan_products_principal_ordered check (0 < min_principal and min_principal <= max_principal),
  constraint loan_products_term_ordered check (0 < min_term_months and min_term_months <= max_term_months),
  constraint loan_products_late_fee_not_negative check (late_fee >= 0)
);

comment on table loan_products is 'What the lender offers. A product in use is withdrawn from offer, not deleted.';
comment on column loan_products.annual_rate_percent is 'The rate of new loans; a loan keeps the rate it was made with.';

create trigger set_updated_at before update on loan_products
  for each row execute function set_updated_at();
