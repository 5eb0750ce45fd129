import { describe, expect, it } from 'vitest'
import { parseSchemaName } from '../../src/names/schema-name.js'
import { readCopyCatalog } from '../../src/lifecycle/rows/copy-catalog.js'
import { fillTables } from '../../src/lifecycle/rows/fill.js'
import { type LateKeys, readLateKeys } from '../../src/lifecycle/rows/late-keys.js'
import { structureOf } from '../../src/lifecycle/rows/structure-of.js'
import { diffSchemas } from '../../src/migration/verify/difference.js'
import { AWKWARD } from '../integration/awkward-schema.js'
import { useDatabase } from '../support/database.js'

const database = useDatabase()

interface Filled {
  readonly late: LateKeys
  /** The indexes that are there while the rows come in. */
  readonly during: readonly string[]
  /** How the schema is afterwards against how it was. */
  readonly differences: readonly string[]
}

/** Makes a schema, and lets its late keys be dropped and made again around `fill`. */
async function filled(structure: string, fill = 'select 1'): Promise<Filled> {
  const schema = parseSchemaName(`${database.prefix()}keys`)
  const client = await database.admin.connect()
  try {
    await client.query(`create schema ${schema}; set search_path = ${schema}; ${structure}`)
    await client.query('begin; set local search_path = pg_catalog')
    const before = await structureOf(client, schema)
    const catalog = await readCopyCatalog(client, schema)
    const late = await readLateKeys(client, schema, undefined)
    const during: string[] = []
    const filling = { path: schema, catalog, cut: [], late, empty: [] }
    await fillTables(client, filling, async () => {
      await client.query(fill)
      const { rows } = await client.query<{ name: string }>(
        `select relname as name from pg_class c join pg_index i on i.indexrelid = c.oid
         where relnamespace = $1::regnamespace order by 1`,
        [schema],
      )
      during.push(...rows.map(({ name }) => name))
    })
    const after = await structureOf(client, schema)
    await client.query('commit')
    return { late, during, differences: diffSchemas(before, after) }
  } finally {
    await client.query('rollback; reset search_path')
    client.release()
  }
}

const names = ({ late }: Filled): readonly string[] => late.map(({ name }) => name)

describe('indexes and keys that are made after the rows', () => {
  it('are the same afterwards in an awkward schema', async () => {
    const result = await filled(
      Object.values(AWKWARD).join('\n').replaceAll('set search_path from current', ''),
    )
    expect(result.differences).toEqual([])
    expect(names(result)).toEqual([
      'loans_state_idx',
      'loans_lower_idx',
      'loans_pkey',
      'a_pkey',
      'b_pkey',
      'loans_parent',
      'b_a_fkey',
      'a_b_fkey',
    ])
  })

  it('keep their comments, options, and whether they were checked', async () => {
    const result = await filled(`
      create table parents (id int constraint id_of_parents primary key, code text, span int4range,
        unique nulls not distinct (code), exclude using gist (span with &&));
      comment on index id_of_parents is 'it''s the index';
      comment on constraint id_of_parents on parents is 'the constraint';
      create index by_code on parents (code desc nulls last) include (id) with (fillfactor = 70);
      comment on index by_code is 'for lists';
      create table children (id int primary key, parent int, constraint of_parent foreign key (parent)
        references parents on delete set null deferrable initially deferred);
      alter table children add constraint unchecked foreign key (id) references parents not valid;
      comment on constraint of_parent on children is 'deferred';`)
    expect(result.differences).toEqual([])
    expect(result.during).toEqual([])
    expect(names(result)).toHaveLength(7)
  })

  it('are checked against the rows', async () => {
    const structure = `create table loans (id int primary key);
      create table fees (loan int references loans)`
    await expect(filled(structure, 'insert into loans values (1), (1)')).rejects.toMatchObject({
      code: '23505',
    })
    await expect(filled(structure, 'insert into fees values (7)')).rejects.toMatchObject({
      code: '23503',
    })
  })

  it('are not those that something else needs, or whose definition does not tell all', async () => {
    const result = await filled(`
      create table grouped (id int primary key, body text);
      create view by_key as select id, body from grouped group by id;
      create table shown (id int primary key, body text);
      create function upper_of(text) returns text language sql immutable as 'select upper($1)';
      create index own_function on shown (upper_of(body));
      create index built_in on shown (upper(body));
      create table marked (id int primary key, code int unique);
      alter table marked cluster on marked_pkey;
      create unique index identity on shown (id);
      alter table shown replica identity using index identity;
      create index counted on shown ((id + 1));
      alter index counted alter column 1 set statistics 500;
      create table whole (id int primary key with (fillfactor = 80), at int);
      create table parted (id int primary key, shown int references shown) partition by range (id);
      create table part partition of parted for values from (0) to (9);
      create table heirs () inherits (whole);
      create table upserted (id int primary key);
      create procedure keep() language sql begin atomic
        insert into upserted values (1) on conflict on constraint upserted_pkey do nothing; end;`)
    expect(result.differences).toEqual([])
    expect(names(result)).toEqual(['built_in', 'marked_code_key'])
  })

  it('are none in a small schema', async () => {
    const client = await database.admin.connect()
    try {
      const small = await readLateKeys(client, parseSchemaName('public'), 1_000_000)
      expect(small).toEqual([])
    } finally {
      client.release()
    }
  })
})
