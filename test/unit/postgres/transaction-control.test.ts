import { describe, expect, it } from 'vitest'
import {
  crossesTransaction,
  goesOnAfterCommit,
  isTransactionControl,
} from '../../../src/postgres/transaction-control.js'

describe('isTransactionControl', () => {
  it.each([
    'begin',
    'BEGIN ISOLATION LEVEL SERIALIZABLE',
    'start transaction read only',
    'commit',
    'COMMIT;',
    'commit and chain',
    'end',
    'rollback',
    'rollback to savepoint a',
    'abort',
    `prepare transaction 'a'`,
    'set transaction read only',
    '-- why\nbegin',
    '/* why */ commit -- so\n;',
    ' \n\tcommit',
  ])('says yes to %j', (text) => {
    expect(isTransactionControl(text)).toBe(true)
  })

  it.each([
    '',
    'select 1',
    'begin; select 1',
    'select 1; commit',
    // A savepoint gets the path first, so that going back to it keeps the path.
    'savepoint a',
    'release savepoint a',
    'prepare p as select 1',
    'set search_path = public',
    'set local role x',
    'set constraints all deferred',
    'beginning',
    'commitment',
    '"commit"',
    '-- commit',
    'create function f() returns int begin atomic select 1; end',
    `update t set transaction = 1`,
  ])('says no to %j', (text) => {
    expect(isTransactionControl(text)).toBe(false)
  })
})

describe('goesOnAfterCommit', () => {
  it.each([
    'commit; select 1',
    'begin; insert into t values (1); commit; select 1',
    'rollback; select 1',
    'end; select 1',
    'abort; select 1',
    `prepare transaction 'a'; select 1`,
    'commit; begin',
    '/* a */ commit /* b */; /* c */ select 1',
    'commit and chain; select 1',
    'rollback work; select 1',
  ])('says yes to %j', (text) => {
    expect(goesOnAfterCommit(text)).toBe(true)
  })

  it.each([
    '',
    'commit',
    'commit;',
    'begin; select 1; commit; -- end',
    'savepoint a; rollback to a; select 1',
    'rollback to savepoint a; select 1',
    'rollback work to savepoint a; select 1',
    'rollback transaction to a; select 1',
    `select 'commit;'; select 1`,
    'do $$ begin commit; end $$; select 1',
    'prepare p as select 1; execute p',
    'select 1; select 2',
  ])('says no to %j', (text) => {
    expect(goesOnAfterCommit(text)).toBe(false)
  })
})

describe('crossesTransaction', () => {
  it.each([
    'begin',
    'start transaction',
    'commit',
    'end',
    'rollback',
    'abort',
    `prepare transaction 'a'`,
    'select 1; begin',
    'select 1; commit; select 2',
  ])('says yes to %j', (text) => {
    expect(crossesTransaction(text)).toBe(true)
  })

  it.each([
    '',
    'select 1',
    'savepoint a',
    'rollback to a',
    'rollback work to a',
    'prepare p as select 1',
    'set transaction read only',
    `select 'begin;'`,
  ])('says no to %j', (text) => {
    expect(crossesTransaction(text)).toBe(false)
  })
})
