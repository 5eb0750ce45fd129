import { describe, expect, it } from 'vitest'
import { wantsOwnTransactions } from '../../../src/migration/transaction/own-transactions.js'

describe('wantsOwnTransactions', () => {
  it.each([
    ['two transactions', 'begin; select 1; commit; begin; select 2; commit;'],
    ['a statement behind the commit', 'begin; select 1; commit; select 2'],
    ['the same with END', 'begin; select 1; end; select 2'],
    ['the next one in a chain', 'begin; select 1; commit and chain; select 2; commit'],
    ['a commit without a begin', 'select 1; commit; select 2'],
    ['an isolation level', 'begin; end; start transaction isolation level serializable; commit'],
    ['an isolation level of BEGIN', 'BEGIN WORK ISOLATION LEVEL REPEATABLE READ; COMMIT'],
  ])('says yes to %s', (_what, sql) => {
    expect(wantsOwnTransactions(sql)).toBe(true)
  })

  it.each([
    ['no transaction', 'select 1; select 2'],
    ['one around the file', 'begin; select 1; select 2; commit; -- done'],
    ['one behind the settings', 'set lock_timeout = 1; start transaction; select 1; commit'],
    ['empty ones', 'begin; commit; begin; commit'],
    ['what only looks like it', `select 'commit;'; select $$ commit; $$; /* commit; */ select 2`],
    [
      'a body of a routine',
      'create function f() returns int begin atomic; select 1; end; select 2',
    ],
    ['a prepared one', `commit prepared 'x'; select 2`],
    ['what is refused in any case', 'begin; select 1; commit; begin; select 2; rollback'],
  ])('says no to %s', (_what, sql) => {
    expect(wantsOwnTransactions(sql)).toBe(false)
  })
})
