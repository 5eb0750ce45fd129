create type account_kind as enum ('asset', 'liability', 'equity', 'income', 'expense');

create table ledger_accounts (
  id bigint generated always as identity primary key,
  code text not null unique,
  name text not null,
  kind account_kind not null,
  is_contra boolean not null default false,
  normal_side text not null generated always as (
    case when (kind in ('asset', 'expense')) <> is_contra then 'debit' else 'credit' end
  ) stored,
  is_system boolean not null default false
);

comment on table ledger_accounts is 'The lender''s chart of accounts.';
comment on column ledger_accounts.is_system is 'Made by a migration: the service books on it by its code.';

create table journal_entries (
  id bigint generated always as identity primary key,
  booked_on date not null default current_date,
  description text not null,
  loan_id bigint references loans,
  payment_id bigint references payments,
  -- What was booked is not changed but reversed, and only once.
  reverses_id bigint unique references journal_entries,
  created_by bigint references staff_users,
  created_at timestamptz not null default now()
);

create index journal_entries_booked_on_idx on journal_entries (booked_on);
create index journal_entries_loan_id_idx on journal_entries (loan_id);
create index journal_entries_payment_id_idx on journal_entries (payment_id);

comment on table journal_entries is 'Business events in the books; each has two or more ledger entries.';

create table ledger_entries (
  id bigint generated always as identity primary key,
  journal_entry_id bigint not null references journal_entries on delete cascade,
  account_id bigint not null references ledger_accounts,
  debit numeric(14,2) not null default 0,
  credit numeric(14,2) not null default 0,
  constraint ledger_entries_one_side check (least(debit, credit) = 0 and greatest(debit, credit) > 0)
);

create index ledger_entries_journal_entry_id_idx on ledger_entries (journal_entry_id);
create index ledger_entries_account_id_idx on ledger_entries (account_id);

comment on table ledger_entries is 'The two sides of the books: within a journal entry, debits equal credits.';

-- The table is named through the trigger's own schema: see refuse_excess_allocation.
create function refuse_unbalanced_entry() returns trigger language plpgsql as $$
declare
  entry_id bigint;
  difference numeric;
begin
  -- A line that moves leaves one journal entry and joins another, so both are looked at.
  execute format(
    'select journal_entry_id, sum(debit - credit) from %I.ledger_entries
     where journal_entry_id in ($1, $2) group by 1 having sum(debit - credit) <> 0 limit 1',
    tg_table_schema
  ) into entry_id, difference using old.journal_entry_id, new.journal_entry_id;
  if difference <> 0 then
    raise check_violation using
      message = format('journal entry %s is out of balance by %s', entry_id, difference),
      schema = tg_table_schema, table = tg_table_name;
  end if;
  return null;
end
$$;

-- Deferred, because a journal entry is out of balance between its first line and its last.
create constraint trigger refuse_unbalanced_entry
  after insert or update or delete on ledger_entries
  deferrable initially deferred for each row execute function refuse_unbalanced_entry();
