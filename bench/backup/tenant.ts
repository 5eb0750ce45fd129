/** Migrations of a lender: a narrow table with many rows, a wide one, keys and indexes. */
export const STRUCTURE: readonly string[] = [
  `create table loans (
     id bigint generated always as identity primary key,
     borrower text not null,
     amount numeric(12, 2) not null check (amount > 0),
     opened timestamptz not null
   );
   create index on loans (borrower);`,
  `create table payments (
     id bigint generated always as identity primary key,
     loan_id bigint not null references loans,
     amount numeric(12, 2) not null,
     paid timestamptz not null,
     reference text not null
   );
   create index on payments (loan_id, paid);`,
  `create table documents (
     id bigint generated always as identity primary key,
     loan_id bigint not null references loans,
     title text not null,
     body text not null,
     facts jsonb not null
   );
   create index on documents (loan_id);`,
]

/** Statements that fill the tables to about so many megabytes of rows, half of them in each form. */
export function filling(schema: string, megabytes: number): readonly string[] {
  const loans = megabytes * 100
  const payments = megabytes * 5_000
  const documents = megabytes * 450
  return [
    `insert into ${schema}.loans (borrower, amount, opened)
     select 'Borrower ' || n, 1000 + n % 9000, timestamptz '2020-01-01' + n * interval '1 minute'
     from generate_series(1, ${loans}) n`,
    `insert into ${schema}.payments (loan_id, amount, paid, reference)
     select 1 + (n * 7919::bigint) % ${loans}, (n % 90000) / 100.0 + 1,
       timestamptz '2020-01-01' + n * interval '1 second', md5(n::text)
     from generate_series(1, ${payments}) n`,
    `insert into ${schema}.documents (loan_id, title, body, facts)
     select 1 + (n * 7919::bigint) % ${loans}, 'Document ' || n,
       (select string_agg(md5((n * 30 + part)::text), ' ') from generate_series(1, 28) part),
       jsonb_build_object('page', n % 40, 'kind', 'contract', 'hash', md5(n::text))
     from generate_series(1, ${documents}) n`,
    `vacuum analyze ${schema}.loans, ${schema}.payments, ${schema}.documents`,
  ]
}
