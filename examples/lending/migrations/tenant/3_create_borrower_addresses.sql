create type address_kind as enum ('residence', 'mailing', 'business');

create table borrower_addresses (
  id bigint generated always as identity primary key,
  -- An address means nothing without its borrower.
  borrower_id bigint not null references borrowers on delete cascade,
  kind address_kind not null,
  line1 text not null,
  line2 text,
  postal_code text,
  city text not null,
  country_code text not null,
  valid_from date not null default current_date,
  valid_until date,
  constraint borrower_addresses_country_is_iso check (country_code ~ '^[A-Z]{2}$'),
  constraint borrower_addresses_period_ordered check (valid_until > valid_from)
);

-- Former addresses are kept for letters already sent; only one of a kind is current.
create unique index borrower_addresses_current_key
  on borrower_addresses (borrower_id, kind) where valid_until is null;
create index borrower_addresses_borrower_id_idx on borrower_addresses (borrower_id);

comment on table borrower_addresses is 'Where a borrower lives or receives letters, now and before.';
