import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSingleStatement, splitStatements } from '../../../src/postgres/sql-text.js'

const parts = (text: string): readonly string[] =>
  splitStatements(text).map(({ start, end }) => text.slice(start, end))

describe('splitStatements', () => {
  it.each([
    ['nothing', '', []],
    ['blanks and semicolons', ' ;;\n; ', []],
    ['comments only', '-- a; b\n/* c; d */', []],
    ['one statement', 'select 1', ['select 1']],
    ['a semicolon at the end', 'select 1;', ['select 1']],
    ['two statements', 'select 1; select 2', ['select 1', 'select 2']],
    ['empty statements between', 'select 1;; ;select 2;', ['select 1', 'select 2']],
    ['no space at all', 'select 1;select 2', ['select 1', 'select 2']],
  ])('splits %s', (_, text, expected) => {
    expect(parts(text)).toEqual(expected)
  })

  it.each([
    ['a string', `insert into t values ('a;b')`],
    ['a doubled quote', `select 'it''s; fine'`],
    ['a backslash that escapes nothing', String.raw`select 'c:\'`],
    ['an escape string', String.raw`select E'it\'s; fine'`],
    ['an escape string in lower case', String.raw`select e'\\'';'`],
    ['a national string', `select N'a;b'`],
    ['a Unicode string', String.raw`select U&'d\0061t;a'`],
    ['a bit string', `select B'1', ';'`],
    ['a string that ends in a line break', `select 'a;\n'`],
    ['a quoted name', 'select 1 as "a;b"'],
    ['a quoted name with a quote', 'select 1 as "a"";b"'],
    ['a string in a quoted name', `select 1 as "it's; fine"`],
    ['a dollar quote', 'do $$ begin perform 1; end $$'],
    ['a dollar quote with a tag', 'do $body$ begin perform 1; end $body$'],
    ['a dollar quote with another inside', `do $a$ begin execute $b$select 1;$b$; end $a$`],
    ['a dollar quote that holds $$', 'do $a$ begin execute $$select 1;$$; end $a$'],
    ['a dollar quote with a tag of umlauts', 'select $größe$a;b$größe$'],
    ['a tag in another case', 'select $a$;$A$;$a$'],
    ['a quote in a dollar quote', `select $$it's; fine$$`],
    ['a comment in a dollar quote', 'select $$ /* ; $$'],
    ['a comment to the end of a line', 'select 1 -- a; b\n, 2'],
    ['a quote in a comment', `select 1 -- it's; fine\n, 2`],
    ['a dollar quote in a comment', 'select 1 -- $$ ;\n, 2'],
    ['a block comment', 'select /* a; b */ 1'],
    ['nested block comments', 'select /* a; /* b; */ c; */ 1'],
    ['a line comment in a block comment', 'select /* -- */ 1'],
    ['a block comment in a string', `select '/*;', 1, '*/;'`],
    ['parentheses', 'create rule r as on insert to t do also (delete from a; delete from b)'],
    ['nested parentheses', 'create rule r as on insert to t do also ((select 1); (select (2)))'],
    ['begin atomic', 'create function f() returns int begin atomic select 1; select 2; end'],
    [
      'begin atomic with a comment between',
      'create function f() returns int begin /* ; */ atomic select 1; end',
    ],
    [
      'begin atomic with case inside',
      'create function f() returns int begin atomic select case when true then 1 else 2 end; select 3; end',
    ],
    [
      'begin atomic with case in case',
      'create function f() returns int begin atomic select case when true then case 1 when 1 then 2 end end; select 3; end',
    ],
    ['a parameter', 'select $1, $2'],
    ['a name with dollars', 'select a$b$c from d$$e'],
  ])('keeps %s together', (_, text) => {
    expect(parts(`${text};select 'after'`)).toEqual([text, `select 'after'`])
  })

  it.each([
    ['case outside of begin atomic', 'select case when true then 1 end; select 2'],
    ['begin as a transaction', 'begin; select 1; end'],
    ['a cast', `select 'a'::text; select 2`],
    ['a slice', 'select a[1:2]; select 2'],
    ['a number with an exponent', 'select 1e3; select 2'],
    ['an operator of minus and star', 'select 2*-1; select 2'],
  ])('ends a statement after %s', (_, text) => {
    expect(parts(text)).toEqual(text.split('; '))
  })

  it('leaves comments around a statement out of it', () => {
    expect(parts('-- first\nselect 1 /* in */ + 1 -- last\n; /* end */')).toEqual([
      'select 1 /* in */ + 1',
    ])
  })

  it('gives offsets in UTF-16 units', () => {
    const text = `select '😀ü'; select '𝒳'`
    expect(parts(text)).toEqual([`select '😀ü'`, `select '𝒳'`])
  })

  it.each([
    ['a string', `select 'a; select 2`],
    ['an escape string', `select E'a\\'; select 2`],
    ['a quoted name', 'select "a; select 2'],
    ['a dollar quote', 'select $a$; select 2; $b$'],
    ['a comment', 'select 1 /* ; /* */ ; select 2'],
    ['a parenthesis', 'select (1; select 2'],
    ['begin atomic', 'create function f() begin atomic select 1; select 2;'],
  ])('takes everything behind an unclosed %s for one statement', (_, text) => {
    expect(splitStatements(text)).toHaveLength(1)
  })

  it('tells the first three words, in lower case and without comments', () => {
    const text = 'CREATE /* or */ Unique -- x\n INDEX concurrently i; "Commit" work; (select 1)'
    expect(splitStatements(text).map(({ words }) => words)).toEqual([
      ['create', 'unique', 'index'],
      ['work'],
      ['select'],
    ])
  })

  it('never lets statements overlap, and leaves only blanks and semicolons between them', () => {
    const piece = fc.constantFrom(
      `'`,
      `"`,
      '$$',
      '$a$',
      '/*',
      '*/',
      '--',
      '\n',
      ';',
      ' ',
      '(',
      ')',
      '\\',
      'E',
      'begin',
      'atomic',
      'case',
      'end',
      'select',
      '1',
      '😀',
      '$1',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join('')
        let behind = 0
        for (const { start, end } of splitStatements(text)) {
          expect(start).toBeGreaterThanOrEqual(behind)
          expect(end).toBeGreaterThan(start)
          expect(splitStatements(text.slice(behind, start))).toEqual([])
          behind = end
        }
        expect(splitStatements(text.slice(behind))).toEqual([])
      }),
      { numRuns: 2_000 },
    )
  })

  it('finds the statements that a text was made of', () => {
    const statement = fc.constantFrom(
      'select 1',
      `insert into t values ('a;b', E'\\';', "x;y")`,
      'do $x$ begin perform 1; end $x$',
      'create rule r as on insert to t do also (delete from a; delete from b)',
      'create function f() returns int begin atomic select case 1 when 1 then 2 end; end',
    )
    const between = fc.constantFrom(';', ';\n', '; -- a; b\n', ';/* ; /* ; */ */', ' ;; ')
    fc.assert(
      fc.property(fc.array(fc.tuple(statement, between)), (made) => {
        expect(parts(made.flat().join(''))).toEqual(made.map(([text]) => text))
      }),
    )
  })

  it('reads a long text in linear time', () => {
    const row = `insert into t values ('${'x'.repeat(1_000)}');\n`
    const began = performance.now()
    expect(splitStatements(row.repeat(2_000))).toHaveLength(2_000)
    expect(performance.now() - began).toBeLessThan(5_000)
  })

  it('reads a string of megabytes', () => {
    const text = `select '${'a'.repeat(8_000_000)}'; select 2`
    expect(splitStatements(text)).toHaveLength(2)
  })
})

describe('isSingleStatement', () => {
  it.each([
    '',
    'select 1',
    'select 1;',
    'select 1 ;\n ',
    `select 'a;b' || 'c'`,
    'select 1; -- end',
  ])('says yes to %j', (text) => {
    expect(isSingleStatement(text)).toBe(true)
  })

  it.each(['select 1;select 2', ';;select 1;select 2', `select ';';select 2;`])(
    'says no to %j',
    (text) => {
      expect(isSingleStatement(text)).toBe(false)
    },
  )
})
