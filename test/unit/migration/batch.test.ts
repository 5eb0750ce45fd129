import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { STEP_COLUMN, batchOf, placeOf } from '../../../src/migration/unit/batch.js'
import { splitStatements } from '../../../src/postgres/sql-text.js'
import { migration } from './migration.js'

const PATH = '"tenant_acme", pg_temp'

const first = migration(1, 'create table größe (id int); -- 😀 ü\n')
const second = migration(
  2,
  `-- Erste Zeile: ä ö ü 😀😀
create table b (id int);

insert into b
  select 𝒳 from größe
  where oops = 1;
select 'after'`,
)
const third = migration(3, 'create table c (id int)')
const batch = batchOf([first, second, third], PATH)

/** The position that PostgreSQL gives for the first occurrence of `needle`: in characters, from 1. */
function positionOf(needle: string, text = batch.text): number {
  return Array.from(text.slice(0, text.indexOf(needle))).length + 1
}

describe('batchOf', () => {
  it('marks the beginning of each migration, and sets the path there again', () => {
    const markers = splitStatements(batch.text)
      .map(({ start, end }) => batch.text.slice(start, end))
      .filter((text) => text.includes(STEP_COLUMN))
    const setPath = `pg_catalog.set_config('search_path', '"tenant_acme", pg_temp', true)`
    expect(markers).toEqual([1, 2, 3].map((id) => `select ${id} as tenantry_step, ${setPath}`))
  })

  it('keeps a migration apart from the next one, however it ends', () => {
    const endings = ['select 1', 'select 1;', 'select 1 -- why', 'select 1 /* why */', '']
    const texts = endings.map((sql, index) => migration(index + 1, sql))
    const statements = splitStatements(batchOf(texts, PATH).text)
    // A marker for each migration, and one statement in each of the first four.
    expect(statements).toHaveLength(5 + 4)
  })

  it('holds each migration letter by letter, at the place that it notes', () => {
    for (const { migration: part, start } of batch.parts) {
      expect(batch.text.slice(start, start + part.sql.length)).toBe(part.sql)
    }
  })
})

describe('placeOf', () => {
  it('finds line and statement behind umlauts and emoji', () => {
    expect(placeOf(batch, positionOf('oops'), 2)).toEqual({
      migration: second,
      line: 6,
      statement: 'insert into b\n  select 𝒳 from größe\n  where oops = 1',
    })
  })

  it('finds the migration by the position alone when no marker came', () => {
    expect(placeOf(batch, positionOf('oops'), undefined)).toMatchObject({
      migration: second,
      line: 6,
    })
  })

  it('finds the first character of a migration', () => {
    expect(placeOf(batch, positionOf('create table größe'), 1)).toMatchObject({
      migration: first,
      line: 1,
      statement: 'create table größe (id int)',
    })
  })

  it('puts an error at the semicolon behind a file down to the end of the file', () => {
    const broken = migration(1, 'select 1;\nselect 2 +\n')
    const two = batchOf([broken, third], PATH)
    const behind = two.text.indexOf('\n;\n') + 1
    expect(placeOf(two, behind + 1, undefined)).toEqual({
      migration: broken,
      line: 2,
      statement: 'select 2 +',
    })
  })

  it('puts an error without a position down to the migration whose marker came last', () => {
    expect(placeOf(batch, undefined, 3)).toEqual({ migration: third })
  })

  it('does not trust a position outside of the migration that runs', () => {
    expect(placeOf(batch, positionOf('oops'), 3)).toEqual({ migration: third })
    expect(placeOf(batch, 1, 1)).toEqual({ migration: first })
    expect(placeOf(batch, 1_000_000, 3)).toEqual({ migration: third })
  })

  it('knows no place without a marker and a position', () => {
    expect(placeOf(batch, undefined, undefined)).toBeUndefined()
    expect(placeOf(batch, 1, undefined)).toBeUndefined()
    expect(placeOf(batch, undefined, 9)).toBeUndefined()
  })

  it('shortens a long statement', () => {
    const long = migration(1, `select '${'x'.repeat(9_000)}', oops`)
    const one = batchOf([long], PATH)
    const place = placeOf(one, positionOf('oops', one.text), 1)
    expect(place?.statement).toHaveLength(500)
  })

  it('counts lines that end as on Windows', () => {
    const windows = migration(1, 'select 1;\r\nselect 2;\r\nselect oops')
    const one = batchOf([windows], PATH)
    expect(placeOf(one, positionOf('oops', one.text), 1)).toMatchObject({ line: 3 })
  })

  it('finds any line of any migration, whatever characters stand before it', () => {
    const line = fc.constantFrom('', '-- ä', '-- 😀', 'select 1;', `select '𝒳ü';`)
    const before = fc.array(line, { maxLength: 6 })
    fc.assert(
      fc.property(before, before, (one, other) => {
        const failing = migration(2, [...other, 'select oops'].join('\n'))
        const two = batchOf([migration(1, one.join('\n')), failing], PATH)
        expect(placeOf(two, positionOf('oops', two.text), undefined)).toEqual({
          migration: failing,
          line: other.length + 1,
          statement: 'select oops',
        })
      }),
    )
  })
})
