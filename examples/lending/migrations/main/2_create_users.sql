-- These people sign in at the home site. The staff of a lender is in the lender's own schema.
create table users (
  id bigint generated always as identity primary key,
  email text not null,
  full_name text not null,
  password_hash text,
  is_operator boolean not null default false,
  email_verified_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint users_email_has_at check (email ~ '^[^@\s]+@[^@\s]+$')
);

create unique index users_email_key on users (lower(email));

comment on table users is 'Accounts of the home site: owners of lenders and operators of the platform.';
comment on column users.password_hash is 'Null when the user signs in through an identity provider only.';

-- The body names no table, so it is right under any search_path.
create function set_updated_at() returns trigger language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end
$$;

create trigger set_updated_at before update on users
  for each row execute function set_updated_at();
