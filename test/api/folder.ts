import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileErrors } from './compile.js'
import type { Report } from './report.js'

/** Replaces what is in the folder by the reports. */
export function writeReports(folder: string, reports: readonly Report[]): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const { name, text } of reports) writeFileSync(join(folder, name), text)
}

/** What is wrong with reports, whatever the folder holds: sentences for whoever changed the types. */
export function problemsOf(folder: string, reports: readonly Report[]): readonly string[] {
  const unnamed = reports.flatMap(({ name, unnamed: types }) =>
    types.map((type) => `${type} in api/${name} cannot be named by users. Export it.`),
  )
  return [...unnamed, ...compileErrors(reports.map(({ name }) => join(folder, name)))]
}

/** The difference between the folder and the reports, as git shows it; empty when there is none. */
export function differenceFrom(folder: string, reports: readonly Report[]): string {
  const fresh = mkdtempSync(join(tmpdir(), 'tenantry-api-'))
  try {
    writeReports(fresh, reports)
    mkdirSync(folder, { recursive: true })
    const args = ['diff', '--no-index', '--no-color', folder, fresh]
    const { status, stdout, stderr } = spawnSync('git', args, { encoding: 'utf8' })
    if (status === 0) return ''
    return stdout === '' ? stderr : stdout
  } finally {
    rmSync(fresh, { recursive: true })
  }
}
