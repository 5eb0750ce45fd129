create table lender_settings (
  -- The key can only be true, so the table cannot have a second row.
  id boolean primary key default true,
  -- A lender keeps its books in one currency, so no amount carries its own. The table of currencies is
  -- shared: the name is found through the search_path. Making the key locks that table until the end of
  -- the transaction, so this is the last migration of the set and other lenders wait as little as can be.
  currency_code text not null default 'EUR' references currencies,
  holiday_calendar text,
  time_zone text not null default 'UTC',
  grace_days smallint not null default 5,
  brand_name text,
  brand_color text not null default '#1f4e79',
  logo_document_id uuid references documents on delete set null,
  updated_at timestamptz not null default now(),
  constraint lender_settings_one_row check (id),
  constraint lender_settings_grace_sane check (grace_days between 0 and 60),
  constraint lender_settings_color_is_hex check (brand_color ~ '^#[0-9a-f]{6}$')
);

comment on table lender_settings is 'How this lender works and looks; always one row.';
comment on column lender_settings.holiday_calendar is
  'A calendar of the shared bank holidays; null when due dates are not moved.';

-- The service may count on the row.
insert into lender_settings default values;

create trigger set_updated_at before update on lender_settings
  for each row execute function set_updated_at();
