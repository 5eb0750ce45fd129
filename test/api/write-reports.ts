import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { requireFreshBuild } from '../packaging/pack.js'
import { differenceFrom, problemsOf, writeReports } from './folder.js'
import { reportsOf } from './report.js'

// `npm run api`, and `npm run api:check`, which writes nothing.
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(ROOT, 'api')

await requireFreshBuild()
const reports = await reportsOf(ROOT)
const difference = process.argv.includes('--check') ? differenceFrom(folder, reports) : ''
if (difference === '') {
  if (!process.argv.includes('--check')) writeReports(folder, reports)
  for (const problem of problemsOf(folder, reports)) {
    console.error(problem)
    process.exitCode = 1
  }
} else {
  console.error(difference)
  console.error('The public API has changed: run "npm run api" and review the difference.')
  process.exitCode = 1
}
