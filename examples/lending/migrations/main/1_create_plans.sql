create table plans (
  id bigint generated always as identity primary key,
  code text not null unique,
  name text not null,
  monthly_price numeric(14,2) not null,
  -- Null stands for "as many as the lender likes".
  max_active_loans integer,
  max_staff_users integer,
  is_offered boolean not null default true,
  constraint plans_price_not_negative check (monthly_price >= 0),
  constraint plans_limits_positive check (max_active_loans > 0 and max_staff_users > 0)
);

comment on table plans is 'What a lender can subscribe to. A plan in use is withdrawn from offer, not deleted.';
comment on column plans.monthly_price is 'In euro, without tax.';

insert into plans (code, name, monthly_price, max_active_loans, max_staff_users) values
  ('starter', 'Starter', 49.00, 100, 3),
  ('growth', 'Growth', 249.00, 2500, 25),
  ('scale', 'Scale', 990.00, null, null);
