import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { leavingOfTag, leavingsOfText } from '../../../src/postgres/session/leavings.js'

describe('leavingsOfText', () => {
  it.each([
    'create temp table a (id int)',
    'CREATE TEMPORARY TABLE a (id int)',
    'create local temp table a (id int)',
    'create global temporary table a (id int)',
    'create or replace temp view a as select 1',
    'create temp sequence a',
    'create\n  temp\n  table a (id int)',
    'create /* a */ temp /* b */ table a (id int)',
    'create -- a\n temp table a (id int)',
    'select 1 as id into temp a',
    'select 1; create temp table a (id int)',
    'create table pg_temp.a (id int)',
    'create function "pg_temp".a() returns int language sql as $$ select 1 $$',
    `do $$ begin create temp table a (id int); end $$`,
  ])('finds temporary objects: %s', (text) => {
    expect(leavingsOfText(text)).toEqual(['temporary'])
  })

  it.each([
    `select set_config('a.b', 'x', false)`,
    `select set_config('a.b', 'x', 'f')`,
    `SELECT SET_CONFIG ( 'a.b' , 'x' , FALSE )`,
    `select "set_config"('a.b', 'x', false)`,
    'select set_config($1, $2, $3)',
    `select set_config('a.b', current_setting('c.d'), true)`,
    `select set_config('a.b', 'x', true), set_config('a.b', 'x', false)`,
    `select set_config('a.b', 'x', false), set_config('a.b', 'x', true)`,
    `select set_config('a.b', ', true)', false)`,
    `select set_config('a.b', 'x', /* true) */ false)`,
    `update pg_settings set setting = '1' where name = 'a'`,
    `update pg_catalog.pg_settings set setting = '1'`,
  ])('finds a setting, or fears one: %s', (text) => {
    expect(leavingsOfText(text)).toEqual(['setting'])
  })

  it.each([
    'select pg_advisory_lock(1)',
    'select pg_advisory_lock_shared(1, 2)',
    'select PG_TRY_ADVISORY_LOCK(1)',
    'select pg_catalog.pg_try_advisory_lock_shared($1)',
    'select pg_advisory_lock(1), 1 / 0',
  ])('finds a lock: %s', (text) => {
    expect(leavingsOfText(text)).toEqual(['lock'])
  })

  it.each([
    '',
    'select 1',
    `update notes set body = 'x'`,
    `insert into notes (id) values (1) on conflict do update set body = 'x'`,
    'select temp from readings',
    'create table temp (temporary int)',
    'create table attempts (id int)',
    'select * from template',
    `set local statement_timeout = '1s'`,
    `select set_config('a.b', 'x', true)`,
    `select set_config('a.b', 'it''s (true)', 't'), set_config('c.d', $1, true)`,
    'select pg_advisory_xact_lock(1)',
    'select pg_try_advisory_xact_lock(1)',
    'select pg_advisory_unlock_all()',
    'select * from pg_settings',
  ])('finds nothing: %s', (text) => {
    expect(leavingsOfText(text)).toEqual([])
  })

  it('finds all that there is', () => {
    const text = `select set_config('a', 'b', false), pg_advisory_lock(1) into temp c`
    expect(leavingsOfText(text)).toEqual(['setting', 'temporary', 'lock'])
  })

  it('finds a session’s setting among any local ones', () => {
    const local = fc
      .tuple(fc.stringMatching(/^[a-z ,()']{0,8}$/), fc.constantFrom('true', `'t'`))
      .map(([value, word]) => `set_config('a.b', '${value.replaceAll("'", "''")}', ${word})`)
    fc.assert(
      fc.property(fc.array(local), fc.array(local), (before, after) => {
        const calls = [...before, `set_config('c.d', 'x', false)`, ...after]
        expect(leavingsOfText(`select ${calls.join(', ')}`)).toContain('setting')
      }),
    )
  })

  it('takes no time for a long text', () => {
    const text = `select set_config('${'('.repeat(50_000)}, ${"'a',".repeat(50_000)}`
    expect(leavingsOfText(text)).toEqual(['setting'])
  })
})

describe('leavingOfTag', () => {
  it.each([
    ['SET', 'set a.b to c', 'setting'],
    ['SET', 'SET SESSION a.b = 1', 'setting'],
    ['SET', 'set role x', 'setting'],
    ['SET', 'set time zone utc', 'setting'],
    ['SET', '/* set local */ set a.b = 1', 'setting'],
    ['SET', 'set local a.b = 1; set a.b = 1', 'setting'],
    ['RESET', 'reset a.b', 'setting'],
    ['LOAD', `load 'x'`, 'setting'],
    ['LISTEN', 'listen a', 'channel'],
    ['PREPARE', 'prepare a as select 1', 'prepared'],
    ['DECLARE CURSOR', 'declare a cursor with hold for select 1', 'cursor'],
  ])('knows what %s leaves: %s', (tag, text, leaving) => {
    expect(leavingOfTag(tag, text)).toBe(leaving)
  })

  it.each([
    ['SET', 'set local a.b = 1'],
    ['SET', 'SET LOCAL a.b TO 1; set constraints all deferred'],
    ['SET', 'set transaction read only'],
    ['SET', 'set local a.b = 1; select 1'],
    ['DECLARE CURSOR', 'declare a cursor for select 1'],
    ['SELECT 1', 'select 1'],
    ['UPDATE 1', 'update a set b = 1'],
    ['COMMIT', 'commit'],
    ['', ''],
  ])('knows that %s leaves nothing: %s', (tag, text) => {
    expect(leavingOfTag(tag, text)).toBeUndefined()
  })
})
