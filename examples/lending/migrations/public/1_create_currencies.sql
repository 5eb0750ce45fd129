-- Reference data that every lender shares; lenders read it and never write it.
create table currencies (
  code text primary key,
  name text not null unique,
  minor_units smallint not null,
  constraint currencies_code_is_iso check (code ~ '^[A-Z]{3}$'),
  -- Amounts keep two decimals, so a currency with three cannot be lent in.
  constraint currencies_minor_units_fit check (minor_units between 0 and 2)
);

comment on table currencies is 'Currencies (ISO 4217) in which a lender can keep its books.';

insert into currencies (code, name, minor_units) values
  ('CHF', 'Swiss franc', 2),
  ('EUR', 'Euro', 2),
  ('GBP', 'Pound sterling', 2),
  ('JPY', 'Yen', 0),
  ('SEK', 'Swedish krona', 2),
  ('USD', 'US dollar', 2);
