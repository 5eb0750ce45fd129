import type { Pool } from 'pg'
import { builtPackage } from './built-package.js'

/** What a fleet of tenants is made of. */
export interface FleetPlan {
  /** How many tenants there are to be; those that exist are kept. */
  readonly tenants: number
  /** How many tables, `loans_1` and so on, each of them has; the first one has rows. */
  readonly tables: number
}

/** Few enough for the server's table of locks. */
const CHUNK = 50
const ROWS = 100

const MAKE = `
  create or replace function public.bench_make(number int, tables int) returns void
  language plpgsql as $$
  declare place text := 'tenant_' || public.bench_slug(number);
  begin
    execute format('create schema %I', place);
    for each in 1 .. tables loop
      execute format('create table %I.loans_%s (id int primary key, borrower text not null,
        amount numeric not null, due date not null)', place, each);
    end loop;
    execute format('insert into %I.loans_1
      select id, ''borrower '' || id, id * 10, date ''2026-01-01'' + id
        from generate_series(1, ${ROWS}) id', place);
  end $$`

/** Makes tenants up to the number asked for, in chunks on the server, with rows of the registry. */
export async function makeFleet(pool: Pool, { tenants, tables }: FleetPlan): Promise<void> {
  const { SchemaRouter, select } = await builtPackage()
  await new SchemaRouter({ pool }).migrations.up({ select: select.shared() })
  await pool.query(`create or replace function public.bench_slug(number int) returns text
    language sql as $$ select 't' || lpad(number::text, 5, '0') $$`)
  await pool.query(MAKE)
  const { rows } = await pool.query<{ count: string }>(
    'select count(*) from public.tenantry_tenants',
  )
  for (let start = Number(rows[0]?.count); start < tenants; start += CHUNK) {
    const last = Math.min(start + CHUNK, tenants) - 1
    await pool.query('select public.bench_make(n, $3) from generate_series($1::int, $2::int) n', [
      start,
      last,
      tables,
    ])
    await pool.query(
      `insert into public.tenantry_tenants (slug, name, schema)
       select public.bench_slug(n), 'bench', 'tenant_' || public.bench_slug(n)
         from generate_series($1::int, $2::int) n`,
      [start, last],
    )
  }
  await pool.query('vacuum analyze')
}

/** The slug of a tenant by its number. */
export function slugOf(number: number): string {
  return `t${String(number).padStart(5, '0')}`
}

/** A row that every tenant has, by a value that changes from turn to turn. */
export function rowOf(turn: number): number {
  return 1 + (turn % ROWS)
}
