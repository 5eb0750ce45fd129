import { describe, expect, it } from 'vitest'
import { textInTransaction } from '../../../src/migration/transaction/one-transaction.js'
import { thrownBy } from '../thrown.js'
import { migration } from './migration.js'

const textOf = (sql: string): string => textInTransaction(migration(1, sql))

describe('textInTransaction', () => {
  it.each([
    'create table a (id int);',
    '',
    '-- nothing yet',
    'do $$ begin commit; end $$;',
    'create function f() returns int begin atomic select 1; end;',
    `comment on table a is 'begin; commit;';`,
    'savepoint a; rollback to a; rollback work to savepoint a; release a;',
    `prepare p as select 1;`,
    `commit prepared 'x';`,
    'create rule r as on insert to t do also (delete from a; delete from b);',
  ])('leaves %j as it is', (sql) => {
    expect(textOf(sql)).toBe(sql)
  })

  it.each([
    ['BEGIN;create table a (id int);COMMIT;', '     ;create table a (id int);      ;'],
    ['start transaction; select 1; end', '                 ; select 1;    '],
    [
      'begin isolation level\nserializable; select 1',
      '                     \n            ; select 1',
    ],
    ['select 1; commit and chain; select 2', 'select 1;                 ; select 2'],
  ])('blanks the transaction of %j, and moves nothing', (sql, expected) => {
    expect(textOf(sql)).toBe(expected)
  })

  it.each([
    'select 1;\nrollback;',
    'select 1;\nabort;',
    'select 1;\nROLLBACK WORK;',
    `select 1;\nprepare transaction 'a';`,
  ])('refuses %j, which takes back what others did', (sql) => {
    expect(thrownBy(() => textOf(sql))).toMatchObject({
      code: 'MIGRATION_SOURCE_INVALID',
      migration: '1_step_1.sql',
      file: '/set/1_step_1.sql',
      line: 2,
      message: expect.stringContaining('Remove the statement'),
    })
  })

  it.each([
    ['a string', `select 1;\n\ninsert into a values ('x);\n`],
    ['a quoted name', 'select 1;\n\nselect "x;\n'],
    ['a dollar quote', 'select 1;\n\ndo $a$ begin end $b$;\n'],
    ['a comment', 'select 1;\n\nselect 1 /* why;\n'],
    ['a parenthesis', 'select 1;\n\ncreate table a (id int;\n'],
  ])('refuses a file that leaves %s open: it would swallow the next one', (_, sql) => {
    expect(thrownBy(() => textOf(sql))).toMatchObject({
      code: 'MIGRATION_SOURCE_INVALID',
      migration: '1_step_1.sql',
      line: 3,
      message: expect.stringContaining('Close it'),
    })
  })

  it('refuses an open comment that is all there is', () => {
    const error = thrownBy(() => textOf('/* nothing'))
    expect(error).toMatchObject({ code: 'MIGRATION_SOURCE_INVALID', line: 1 })
  })
})
