import type {
  BranchMapping,
  CoverageMap,
  FileCoverage,
  FunctionMapping,
  Range,
} from 'istanbul-lib-coverage'

/**
 * Adds what was hit in another build of the same sources. Where its parts end may differ by a column, so
 * they are told apart by where they begin; a part that the first build has not is left out.
 */
export function addHits(map: CoverageMap, others: CoverageMap): void {
  for (const file of others.files()) {
    const theirs = others.fileCoverageFor(file)
    if (map.files().includes(file)) addToFile(map.fileCoverageFor(file), theirs)
    else map.addFileCoverage(theirs)
  }
}

function addToFile({ data }: FileCoverage, { data: other }: FileCoverage): void {
  addNumbers(data.s, keysOf(data.statementMap, startOf), {
    hits: other.s,
    keys: keysOf(other.statementMap, startOf),
  })
  addNumbers(data.f, keysOf(data.fnMap, functionKey), {
    hits: other.f,
    keys: keysOf(other.fnMap, functionKey),
  })
  const theirs = new Map(
    Object.entries(other.branchMap).map(([id, branch]) => [branchKey(branch), other.b[id] ?? []]),
  )
  for (const [id, branch] of Object.entries(data.branchMap)) {
    const more = theirs.get(branchKey(branch)) ?? []
    data.b[id] = (data.b[id] ?? []).map((hits, arm) => hits + (more[arm] ?? 0))
  }
}

type Hits = Record<string, number>

function addNumbers(
  hits: Hits,
  keys: ReadonlyMap<string, string>,
  others: { readonly hits: Hits; readonly keys: ReadonlyMap<string, string> },
): void {
  const byKey = new Map([...others.keys].map(([id, key]) => [key, others.hits[id] ?? 0]))
  for (const [id, key] of keys) hits[id] = (hits[id] ?? 0) + (byKey.get(key) ?? 0)
}

function keysOf<Part>(
  parts: Record<string, Part>,
  keyOf: (part: Part) => string,
): ReadonlyMap<string, string> {
  return new Map(Object.entries(parts).map(([id, part]) => [id, keyOf(part)]))
}

const startOf = ({ start }: Range): string => `${start.line}:${start.column}`

const functionKey = ({ loc }: FunctionMapping): string => startOf(loc)

const branchKey = ({ type, loc, locations }: BranchMapping): string =>
  `${type} ${startOf(loc)} ${locations.length}`
