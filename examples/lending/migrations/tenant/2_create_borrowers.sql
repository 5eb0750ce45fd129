create type borrower_kind as enum ('person', 'business');

create table borrowers (
  id bigint generated always as identity primary key,
  kind borrower_kind not null default 'person',
  given_name text,
  family_name text,
  company_name text,
  -- Lists and letters want one name; its parts stay the truth.
  display_name text not null generated always as (
    case kind when 'person' then given_name || ' ' || family_name else company_name end
  ) stored,
  tax_id text,
  born_on date,
  email text,
  phone text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint borrowers_name_fits_kind check (
    case kind
      when 'person' then num_nulls(given_name, family_name) = 0 and company_name is null
      else company_name is not null and num_nonnulls(given_name, family_name, born_on) = 0
    end
  ),
  constraint borrowers_email_has_at check (email ~ '^[^@\s]+@[^@\s]+$')
);

-- Spouses share an address and a telephone, but nobody shares a tax number.
create unique index borrowers_tax_id_key on borrowers (tax_id) where tax_id is not null;
create index borrowers_email_idx on borrowers (lower(email));
-- The pattern operators let a search for the beginning of a name use the index under any collation.
create index borrowers_display_name_idx on borrowers (lower(display_name) text_pattern_ops);

comment on table borrowers is 'Persons and businesses that the lender lends to, or may lend to.';

create trigger set_updated_at before update on borrowers
  for each row execute function set_updated_at();
