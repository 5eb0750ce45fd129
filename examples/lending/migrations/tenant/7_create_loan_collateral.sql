create type collateral_kind as enum ('real_estate', 'vehicle', 'equipment', 'deposit', 'guarantee');

create table loan_collateral (
  id bigint generated always as identity primary key,
  loan_id bigint not null references loans,
  kind collateral_kind not null,
  description text not null,
  registry_number text,
  lien_rank smallint not null default 1,
  appraised_value numeric(14,2) not null,
  appraised_on date not null,
  released_on date,
  created_at timestamptz not null default now(),
  constraint loan_collateral_rank_positive check (lien_rank > 0),
  constraint loan_collateral_value_not_negative check (appraised_value >= 0)
);

-- One house may secure several loans, but only one in each rank.
create unique index loan_collateral_lien_key
  on loan_collateral (kind, registry_number, lien_rank)
  where registry_number is not null and released_on is null;
create index loan_collateral_loan_id_idx on loan_collateral (loan_id);

comment on table loan_collateral is 'What secures a loan. A released item stays as a record.';
comment on column loan_collateral.registry_number is
  'Land register entry, vehicle identification number or serial number.';
