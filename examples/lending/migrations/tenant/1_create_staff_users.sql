create type staff_role as enum ('viewer', 'loan_officer', 'collector', 'accountant', 'administrator');

create table staff_users (
  id bigint generated always as identity primary key,
  email text not null,
  full_name text not null,
  role staff_role not null default 'viewer',
  deactivated_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint staff_users_email_has_at check (email ~ '^[^@\s]+@[^@\s]+$')
);

create unique index staff_users_email_key on staff_users (lower(email));

comment on table staff_users is
  'People who work for the lender. They are deactivated, never deleted: decisions carry their names.';

-- The body names no table, so it is right under any search_path and after a rename of the schema.
create function set_updated_at() returns trigger language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end
$$;

create trigger set_updated_at before update on staff_users
  for each row execute function set_updated_at();
