import { readFile, readdir } from 'node:fs/promises'
import type { Profiler } from 'node:inspector'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ProcessCov, mergeProcessCovs } from '@bcoe/v8-coverage'
import { convert } from 'ast-v8-to-istanbul'
import libCoverage, { type CoverageMap, type CoverageMapData } from 'istanbul-lib-coverage'
import { parseAstAsync } from 'vitest/node'

/** Where the package was built to, with source maps. */
const BUILT = new URL('../../dist/', import.meta.url).href
const SOURCES = fileURLToPath(new URL('../../src/', import.meta.url))
/** A process writes megabytes, nearly all of them of its dependencies. */
const FILES_AT_ONCE = 20

/** What child processes have run of the build, told by the sources. */
export async function childCoverage(folder: string): Promise<CoverageMap> {
  const map = libCoverage.createCoverageMap({})
  for (const script of await readScripts(folder)) map.merge(await sourcesOf(script))
  map.filter((file) => file.startsWith(SOURCES))
  return map
}

async function readScripts(folder: string): Promise<ProcessCov['result']> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json'))
  let sum: ProcessCov = { result: [] }
  for (let from = 0; from < files.length; from += FILES_AT_ONCE) {
    const some = files.slice(from, from + FILES_AT_ONCE).map((name) => read(join(folder, name)))
    sum = mergeProcessCovs([sum, ...(await Promise.all(some))])
  }
  return sum.result
}

async function read(file: string): Promise<ProcessCov> {
  const { result } = JSON.parse(await readFile(file, 'utf8')) as ProcessCov
  return { result: result.filter(({ url }) => url.startsWith(BUILT)) }
}

async function sourcesOf(coverage: Profiler.ScriptCoverage): Promise<CoverageMapData> {
  const file = fileURLToPath(coverage.url)
  const code = await readFile(file, 'utf8')
  const sourceMap = JSON.parse(await readFile(`${file}.map`, 'utf8')) as never
  return convert({ ast: parseAstAsync(code), code, coverage, sourceMap })
}
