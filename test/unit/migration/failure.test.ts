import { describe, expect, it } from 'vitest'
import { placeAtEnd } from '../../../src/migration/unit/batch.js'
import { migrationFailed, positionOf } from '../../../src/migration/failure.js'
import { learnFrom } from '../../../src/migration/transaction/own-transactions.js'
import { parseSchemaName } from '../../../src/names/schema-name.js'
import { migration } from './migration.js'

const schema = parseSchemaName('tenant_acme')

describe('the error of a failed migration', () => {
  it('says no more than is known', () => {
    const error = migrationFailed(schema, 'thrown by hand', { place: undefined })
    expect(error).toMatchObject({ code: 'MIGRATION_FAILED', schema, cause: 'thrown by hand' })
    expect(error.message).toMatch(
      /^A migration failed in schema "tenant_acme": thrown by hand\. The/,
    )
    expect(error).not.toHaveProperty('migration')
  })

  it('keeps what was committed before, whatever ran outside of a transaction', () => {
    const place = { migration: migration(2, 'vacuum') }
    const facts = { place, alone: true, kept: ['1_loans.sql'] }
    expect(migrationFailed(schema, new Error('no'), facts).message).toContain(
      'so its earlier statements stay done, and 1_loans.sql stays done;',
    )
  })
})

describe('a position in the text', () => {
  it.each([['no error'], [null], [new Error('without')], [{ position: 'x' }], [{ position: '0' }]])(
    'is not found in %j',
    (thrown) => expect(positionOf(thrown)).toBeUndefined(),
  )

  it('is that of the server', () => {
    expect(positionOf({ position: '17' })).toBe(17)
  })
})

describe('what is refused at the end of a transaction', () => {
  const migrations = [migration(1, 'create table loans ()'), migration(2, 'select 1')]

  it('is put down to the last migration that names the table, or else to the last one', () => {
    const error = Object.assign(new Error('violates'), { table: 'loans' })
    expect(placeAtEnd(migrations, error)).toEqual({ migration: migrations[0] })
    expect(placeAtEnd(migrations, 'thrown by hand')).toEqual({ migration: migrations[1] })
    expect(placeAtEnd([], error)).toBeUndefined()
  })

  it('teaches nothing where no migration is known', () => {
    const error = Object.assign(new Error('invalid transaction termination'), { code: '2D000' })
    expect(() => learnFrom(error, undefined)).not.toThrow()
  })
})
