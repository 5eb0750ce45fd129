/** Sums up what `npm run coverage` has measured, and fails where less is covered than has to be. */
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import libCoverage, { type CoverageMap, type CoverageMapData } from 'istanbul-lib-coverage'
import libReport from 'istanbul-lib-report'
import reports from 'istanbul-reports'
import { addHits } from './add-hits.js'
import { childCoverage } from './child-coverage.js'

/** Per cent of the whole. */
const LEAST = { lines: 95, branches: 95 } as const

const folder = fileURLToPath(new URL('../../coverage/', import.meta.url))
const map = await suiteCoverage()
addHits(map, await childCoverage(join(folder, 'children')))

const context = libReport.createContext({ dir: join(folder, 'report'), coverageMap: map })
for (const kind of ['html', 'json-summary', 'text-summary'] as const) {
  reports.create(kind).execute(context)
}

const summary = map.getCoverageSummary()
for (const [kind, least] of Object.entries(LEAST) as [keyof typeof LEAST, number][]) {
  const { pct } = summary[kind]
  if (pct >= least) continue
  console.error(
    `${pct} % of the ${kind} are covered, and ${least} % have to be. See coverage/report/index.html.`,
  )
  process.exitCode = 1
}

/** What each suite has run in its own processes. */
async function suiteCoverage(): Promise<CoverageMap> {
  const sum = libCoverage.createCoverageMap({})
  const entries = await readdir(folder, { withFileTypes: true })
  for (const { name } of entries.filter((entry) => entry.isDirectory())) {
    const text = await readFile(join(folder, name, 'coverage-final.json'), 'utf8').catch(() => '')
    if (text !== '') sum.merge(JSON.parse(text) as CoverageMapData)
  }
  return sum
}
