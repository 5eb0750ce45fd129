import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { bodies, useFleet } from '../support/lenders.js'
import { WAYS } from './way.js'

const database = useDatabase()
const given = useFleet(database, { tenants: 3, pool: { max: 1 } })

/** Functions of the shared schema that read the tenant's tables, whose plans a backend keeps. */
beforeAll(async () => {
  await database.admin.query(`
    create function public.by_plpgsql() returns text language plpgsql as $$
    declare found text;
    begin select body into found from notes where id = 1; return found; end $$;
    create function public.by_sql() returns text language sql as $$
      select body from notes where id = 1 $$;
    create function public.by_execute() returns text language plpgsql as $$
    declare found text;
    begin execute 'select body from notes where id = $1' into found using 1; return found; end $$;
    create procedure public.add_note(note text) language plpgsql as $$
    begin insert into notes (body) values (note); end $$`)
})

afterAll(async () => {
  await database.admin.query(`
    drop function public.by_plpgsql, public.by_sql, public.by_execute;
    drop procedure public.add_note`)
})

describe.each(WAYS)('a shared function through $name', ({ run }) => {
  it.each(['by_plpgsql', 'by_sql', 'by_execute'])(
    'reads each tenant’s own table on one connection: %s',
    async (name) => {
      const { lenders } = given()
      // More than the five times after which PostgreSQL settles for one plan.
      for (let round = 0; round < 8; round += 1) {
        for (const lender of lenders) {
          const { rows } = await run(given(), lender, (db) => db.query(`select ${name}() as body`))
          expect(rows, `round ${round}`).toEqual([{ body: lender.schema }])
        }
      }
    },
  )

  it('writes each tenant’s own table on one connection', async () => {
    const { lenders } = given()
    for (let round = 0; round < 8; round += 1) {
      for (const lender of lenders) {
        await run(given(), lender, (db) => db.query(`call add_note($1)`, [lender.schema]))
      }
    }
    for (const { schema } of lenders) {
      expect(await bodies(database, schema)).toEqual(Array.from({ length: 9 }, () => schema))
    }
    expect(await bodies(database, 'public')).toEqual(['public'])
  })
})

describe('a shared trigger', () => {
  it('writes into the schema of the statement that fires it', async () => {
    const { router, lenders } = given()
    await database.admin.query(`
      create function public.copy_note() returns trigger language plpgsql as $$
      begin insert into notes (body) values ('fired'); return new; end $$;
      create table public.inbox (id int);
      create trigger copies after insert on public.inbox
        for each row execute function public.copy_note()`)
    for (const { slug } of lenders) {
      await router.withTenant(slug, (db) => db.query('insert into inbox (id) values (1)'))
    }
    await database.admin.query('drop table public.inbox; drop function public.copy_note()')
    for (const { schema } of lenders) {
      expect(await bodies(database, schema)).toEqual([schema, 'fired'])
    }
    expect(await bodies(database, 'public')).toEqual(['public'])
  })
})
