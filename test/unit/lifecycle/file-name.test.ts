import { describe, expect, it } from 'vitest'
import { fileNames } from '../../../src/lifecycle/export/file-name.js'

const csv = (...tables: readonly string[]): readonly string[] => fileNames(tables, 'csv')

describe('fileNames', () => {
  it('leaves ordinary names as they are, in any script', () => {
    expect(csv('loans', 'Fees', 'größe', '貸付', 'a b', "o'clock")).toEqual([
      'loans.csv',
      'Fees.csv',
      'größe.csv',
      '貸付.csv',
      'a b.csv',
      "o'clock.csv",
    ])
  })

  it('writes what a file system refuses as in a URL', () => {
    expect(csv('a/b', '..', 'c:\\d', 'e%2Ff', 'line\nend', '.hidden', 'dot.', ' ')).toEqual([
      'a%2Fb.csv',
      '%2E%2E.csv',
      'c%3A%5Cd.csv',
      'e%252Ff.csv',
      'line%0Aend.csv',
      '%2Ehidden.csv',
      'dot%2E.csv',
      '%20.csv',
    ])
  })

  it('keeps the names of devices away', () => {
    expect(csv('con', 'AUX', 'lpt1.old', 'com10', 'console')).toEqual([
      '%63on.csv',
      '%41UX.csv',
      '%6Cpt1.old.csv',
      'com10.csv',
      'console.csv',
    ])
  })

  it('keeps apart what a file system may take for the same', () => {
    const tables = ['Loans', 'loans', 'LOANS', 'é', 'e\u0301', 'straße', 'STRASSE', 'con', 'CON']
    const names = csv(...tables)
    expect(names.slice(0, 3)).toEqual(['%4Coans.csv', 'loans.csv', '%4C%4F%41%4E%53.csv'])
    const seen = names.map((name) => name.normalize('NFC').toUpperCase())
    expect(new Set(seen).size).toBe(tables.length)
    expect(names.map((name) => decodeURIComponent(name.slice(0, -4)))).toEqual(tables)
  })
})
