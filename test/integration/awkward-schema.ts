import type { MigrationFiles } from '../support/migration-folder.js'

/** Migrations with everything that a comparison of catalogs may stumble over. */
export const AWKWARD: MigrationFiles = {
  '1_types.sql': `
    create type status as enum ('new', 'paid', 'lost');
    create domain amount as numeric(12, 2) not null constraint positive check (value > 0);
    create type place as (street text, number integer);
    create type span as range (subtype = integer);`,
  '2_tables.sql': `
    create table gone (id int);
    create table loans (
      id bigint generated always as identity (start 100),
      serial_number serial,
      dropped text,
      state status not null default 'new',
      amount amount,
      tags text[] not null default '{}',
      home place,
      note text collate "C",
      twice numeric generated always as (serial_number * 2) stored,
      parent bigint,
      constraint loans_pkey primary key (id),
      constraint loans_parent foreign key (parent) references loans deferrable
    );
    alter table loans drop column dropped;
    drop table gone;
    create index loans_state_idx on loans (state) where state <> 'lost';
    create unique index loans_lower_idx on loans (lower(note));
    comment on table loans is 'what is lent';
    comment on column loans.note is 'for people';
    comment on index loans_state_idx is 'for lists';
    create table a (id int primary key, b int);
    create table b (id int primary key, a int references a);
    alter table a add foreign key (b) references b;
    create table pair (x int, y int);
    create table words (word text collate "C", number int);
    create unlogged table scratch (id int) with (fillfactor = 70);
    create sequence numbers increment 5 cycle maxvalue 1000;
    create statistics loans_stats on state, parent from loans;`,
  '3_partitions.sql': `
    create table events (id int not null, at date not null, primary key (id, at))
      partition by range (at);
    create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');
    create table events_rest partition of events default;
    create index events_at_idx on events (at);`,
  '4_views.sql': `
    create view open_loans as select id, state, amount::numeric from loans where state <> 'paid';
    create view big_loans as select * from open_loans where amount > 1000;
    create view small as select x from pair where y < 10;
    create materialized view totals as select state, count(*) as number from loans group by state;
    create unique index totals_idx on totals (state);`,
  '5_routines.sql': `
    create function total(wanted status default 'new') returns numeric language sql stable
      set search_path from current
      as $$ select sum(amount) from loans where state = wanted $$;
    create function touch() returns trigger language plpgsql as $$
      begin new.note := upper(new.note); return new; end $$;
    create procedure clean(limit_id bigint) language sql
      begin atomic delete from loans where id < limit_id; end;
    create aggregate product (numeric) (sfunc = numeric_mul, stype = numeric, initcond = '1');
    create trigger loans_touch before update on loans for each row execute function touch();
    create rule keep as on delete to a do instead nothing;`,
  '6_policies.sql': `
    alter table loans enable row level security;
    create policy mine on loans for select to public using (note = current_user);`,
}
