/** Writes the report of `npm run coverage`, and fails where less is covered than has to be. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import libCoverage, { type CoverageMapData } from 'istanbul-lib-coverage'
import libReport from 'istanbul-lib-report'
import reports from 'istanbul-reports'
import { addHits } from './add-hits.js'
import { childCoverage } from './child-coverage.js'

/** Per cent of the whole. */
const LEAST = { lines: 95, branches: 95 } as const

const folder = fileURLToPath(new URL('../../coverage/', import.meta.url))
const tests = JSON.parse(await readFile(`${folder}tests/coverage-final.json`, 'utf8')) as unknown
const map = libCoverage.createCoverageMap(tests as CoverageMapData)
addHits(map, await childCoverage(`${folder}children`))

const context = libReport.createContext({ dir: `${folder}report`, coverageMap: map })
for (const kind of ['html', 'json', 'json-summary', 'text-summary'] as const) {
  reports.create(kind).execute(context)
}

const summary = map.getCoverageSummary()
for (const [kind, least] of Object.entries(LEAST) as [keyof typeof LEAST, number][]) {
  const { pct } = summary[kind]
  if (pct >= least) continue
  console.error(
    `${pct} % of the ${kind} are covered, and ${least} % have to be: coverage/report/index.html`,
  )
  process.exitCode = 1
}
