/** SQL that breaks a rule, and where the finding must be. */
export interface Sample {
  readonly rule: string
  readonly sql: string
  readonly line: number
  readonly level?: 'error' | 'warning' | 'note'
}

/** At least one sample for each rule that looks at SQL. */
export const SAMPLES: readonly Sample[] = [
  { rule: 'qualified-name', sql: '\n-- a comment\ncreate table public.loans (id int);', line: 3 },
  { rule: 'qualified-name', sql: "select 'ä€😀';\ninsert into public.loans\nvalues (1);", line: 2 },
  { rule: 'qualified-name', sql: "select 1;\ncreate type public.state as enum ('a');", line: 2 },
  { rule: 'qualified-name', sql: 'drop table a,\n  public.b;', line: 1 },
  { rule: 'qualified-name', sql: 'drop trigger t on public.loans;', line: 1 },
  { rule: 'qualified-name', sql: "comment on column public.loans.id is 'x';", line: 1 },
  { rule: 'qualified-name', sql: 'alter table loans set schema archive;', line: 1 },
  { rule: 'qualified-name', sql: 'grant select on all tables in schema public to r;', line: 1 },
  {
    rule: 'qualified-name',
    sql: "create table a (\n id int default nextval('public.ids'));",
    line: 2,
  },
  {
    rule: 'qualified-name',
    sql: "do $$\nbegin\n  execute 'truncate public.loans';\nend $$;",
    line: 3,
  },
  {
    rule: 'qualified-name',
    sql: 'create function f() returns void language plpgsql as $$\nbegin\n  if true then\n    delete from\n      public.loans;\n  end if;\nend $$;',
    line: 5,
  },
  {
    rule: 'qualified-name',
    sql: 'create view v as\nselect * from other.t;',
    line: 2,
    level: 'warning',
  },
  {
    rule: 'qualified-name',
    sql: 'create table a (b int\n references other.b);',
    line: 2,
    level: 'warning',
  },
  { rule: 'qualified-name', sql: 'select\n other.f();', line: 2, level: 'warning' },
  { rule: 'qualified-name', sql: 'create table a (\n b other.kind);', line: 2, level: 'warning' },
  { rule: 'qualified-name', sql: 'alter schema public owner to r;', line: 1 },
  { rule: 'qualified-name', sql: 'import foreign schema a from server b into public;', line: 1 },
  {
    rule: 'qualified-name',
    sql: 'alter default privileges in schema public grant select on tables to r;',
    line: 1,
  },
  {
    rule: 'syntax-error',
    sql: 'create function f() returns int language plpgsql as\n$$ begin retur 1; end $$;',
    line: 2,
  },
  {
    rule: 'syntax-error',
    sql: 'create function f() returns int language plpgsql as\n$$ begin a := 1; end $$;',
    line: 2,
    level: 'warning',
  },
  {
    rule: 'unfiltered-catalog',
    sql: "select 1 from pg_type t\njoin pg_enum e on e.enumtypid = t.oid where t.typname = 'x';",
    line: 1,
  },
  { rule: 'set-search-path', sql: 'select 1;\nset search_path to public;', line: 2 },
  { rule: 'set-search-path', sql: 'set local search_path = public;', line: 1 },
  { rule: 'set-search-path', sql: 'reset all;', line: 1 },
  { rule: 'set-search-path', sql: "select\n  set_config('search_path', 'public', true);", line: 2 },
  {
    rule: 'set-search-path',
    sql: 'create function f() returns int language sql\nset search_path = public as $$ select 1 $$;',
    line: 2,
  },
  {
    rule: 'set-search-path',
    sql: "do $$ begin\n\n  perform set_config('search_path', 'public', false);\nend $$;",
    line: 3,
  },
  {
    rule: 'create-extension',
    sql: 'create extension if not exists citext;',
    line: 1,
    level: 'warning',
  },
  { rule: 'drop-extension', sql: '\ndrop extension citext;', line: 2 },
  {
    rule: 'unfiltered-catalog',
    sql: "do $$\nbegin\n  if not exists (select 1\n      from pg_type where typname = 'state') then\n    null;\n  end if;\nend $$;",
    line: 4,
  },
  {
    rule: 'unfiltered-catalog',
    sql: "select 1 from information_schema.columns where table_name = 'loans';",
    line: 1,
  },
  {
    rule: 'unfiltered-catalog',
    sql: "do $$ declare n int; begin\n  select count(*) into n from pg_constraint where conname = 'x';\nend $$;",
    line: 2,
  },
  {
    rule: 'unfiltered-catalog',
    sql: "select 1 from information_schema.tables\nwhere table_schema = 'public';",
    line: 2,
  },
  {
    rule: 'enum-value-used',
    sql: "alter type state add value 'late';\nupdate loans set state =\n 'late';",
    line: 3,
  },
  {
    rule: 'needs-no-transaction',
    sql: 'create index concurrently i on loans (id);',
    line: 1,
    level: 'warning',
  },
  { rule: 'needs-no-transaction', sql: 'select 1;\nvacuum loans;', line: 2, level: 'warning' },
  {
    rule: 'needs-no-transaction',
    sql: 'reindex table concurrently loans;',
    line: 1,
    level: 'warning',
  },
  { rule: 'needs-no-transaction', sql: 'drop index concurrently i;', line: 1, level: 'warning' },
  {
    rule: 'needs-no-transaction',
    sql: 'alter table loans detach partition old concurrently;',
    line: 1,
    level: 'warning',
  },
  {
    rule: 'needs-no-transaction',
    sql: 'do $$ begin\n  create index concurrently i on loans (id);\nend $$;',
    line: 2,
  },
  { rule: 'transaction-control', sql: 'begin;\nselect 1;', line: 1, level: 'warning' },
  { rule: 'transaction-control', sql: 'select 1;\nrollback;', line: 2 },
  { rule: 'transaction-control', sql: 'do $$ begin\n  commit;\nend $$;', line: 2 },
  { rule: 'roles', sql: 'create role reader;', line: 1 },
  { rule: 'roles', sql: 'grant reader to writer;', line: 1 },
  { rule: 'roles', sql: 'set role reader;', line: 1 },
  { rule: 'database-wide', sql: "alter database app set work_mem = '1MB';", line: 1 },
  { rule: 'database-wide', sql: "alter system set work_mem = '1MB';", line: 1 },
  { rule: 'database-wide', sql: 'create publication p for all tables;', line: 1 },
  { rule: 'database-wide', sql: 'alter default privileges grant select on tables to r;', line: 1 },
  { rule: 'advisory-lock', sql: 'select\n pg_advisory_xact_lock(1);', line: 2, level: 'warning' },
  { rule: 'create-schema', sql: 'create schema if not exists archive;', line: 1 },
  { rule: 'create-schema', sql: 'alter schema a rename to b;', line: 1 },
  { rule: 'drop-schema', sql: 'drop schema archive;', line: 1 },
  { rule: 'drop-cascade', sql: 'drop table loans cascade;', line: 1, level: 'warning' },
  {
    rule: 'drop-cascade',
    sql: 'alter table loans drop column id cascade;',
    line: 1,
    level: 'warning',
  },
  {
    rule: 'ddl-in-do',
    sql: 'do $$ begin\n  create table loans (id int);\nend $$;',
    line: 2,
    level: 'note',
  },
  {
    rule: 'function-without-search-path',
    sql: '\ncreate function f() returns bigint language sql as $$ select count(*) from loans $$;',
    line: 2,
    level: 'note',
  },
  {
    rule: 'function-without-search-path',
    sql: 'create function f() returns void language plpgsql security definer as $$ begin\n delete from loans;\nend $$;',
    line: 1,
    level: 'warning',
  },
  { rule: 'syntax-error', sql: 'select 1;\ncreate tabl loans (id int);', line: 2 },
  {
    rule: 'syntax-error',
    sql: 'create function f() returns int language sql as $$\n select from from\n$$;',
    line: 2,
  },
]

/** SQL that looks as if it broke a rule, and does not. */
export const CLEAN: readonly string[] = [
  'create table loans (id int primary key);',
  '-- nothing but a comment',
  "do $$ begin\n  if not exists (select from pg_type where typname = 's' and typnamespace = current_schema()::regnamespace) then null; end if;\nend $$;",
  "select 1 from pg_constraint where conrelid = 'loans'::regclass and conname = 'x';",
  "select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = current_schema where c.relname = 'x';",
  "select 1 from information_schema.tables where table_schema = current_schema() and table_name = 'loans';",
  "alter type state rename value 'a' to 'b';\nupdate loans set state = 'b';",
  "create type state as enum ('a');\nalter type state add value 'b';\nselect 'b'::state;",
  '-- postgres-migrations disable-transaction\ncreate index concurrently i on loans (id);',
  'savepoint a;\nrollback to savepoint a;\nrelease a;',
  'create function f() returns bigint language sql set search_path from current as $$ select count(*) from loans $$;',
  'create function f() returns bigint begin atomic select count(*) from loans; end;',
  'create function f() returns int language sql as $$ with a as (select 1) select 1 from a $$;',
  'create function f() returns trigger language plpgsql as $$ begin new.at := pg_catalog.now(); return new; end $$;',
  "select pg_catalog.now(), 1::pg_catalog.int4, interval '1 day';",
  'create table a (b int references shared.b, c int default shared.f());',
  "select 'public.loans', 'search_path', 'drop schema public cascade';",
]
