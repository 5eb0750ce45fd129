import { type Selector, type TenantStatus, select } from 'tenantry'
import { usageError } from './usage-error.js'

/** How many schemas `--parallel` without a number works on at the same time. */
export const DEFAULT_PARALLEL = 4

/** Flags of two letters, which commander does not know, and what they stand for. */
export const SHORT_FLAGS: ReadonlyMap<string, string> = new Map([
  ['-as', '--all-schemas'],
  ['-ss', '--static-schemas'],
  ['-ds', '--dynamic-schemas'],
  ['-ts', '--tenant-schemas'],
])

/**
 * Spells out what commander would misread: `-as` as the flags `-a` and `-s`, and in
 * `--parallel seed.sql` the file as a number.
 *
 * What stands behind `--`, and the value of a flag that takes one, stay as they are.
 *
 * @param takesValue Tells whether a flag must be followed by a value.
 */
export function normaliseArguments(
  argv: readonly string[],
  takesValue: (flag: string) => boolean,
): string[] {
  const spelled: string[] = []
  const rest = [...argv]
  for (let token = rest.shift(); token !== undefined; token = rest.shift()) {
    spelled.push(spellOut(token, rest[0]))
    if (token === '--') return [...spelled, ...rest]
    if (takesValue(token)) spelled.push(...rest.splice(0, 1))
  }
  return spelled
}

function spellOut(token: string, next: string | undefined): string {
  if (token === '--parallel' && !isNumber(next)) return `--parallel=${DEFAULT_PARALLEL}`
  return SHORT_FLAGS.get(token) ?? token
}

function isNumber(token: string | undefined): boolean {
  return token !== undefined && /^\d+$/.test(token)
}

/** The flags that say which schemas a command is about, as commander hands them over. */
export interface SelectionFlags {
  readonly allSchemas?: boolean
  readonly staticSchemas?: boolean
  readonly dynamicSchemas?: boolean
  readonly tenantSchemas?: boolean
  readonly schema?: readonly string[]
  readonly status?: readonly string[]
  readonly where?: readonly string[]
  readonly behind?: boolean
  readonly excludeSchema?: readonly string[]
  readonly limit?: number
  readonly canary?: number
  readonly parallel?: number
}

/** Which schemas a command is about, and how many of them at the same time. */
export interface Selection {
  /** `undefined` where no flag selects anything. */
  readonly select: Selector | undefined
  readonly exclude: readonly string[]
  /** At most so many tenants. */
  readonly limit: number | undefined
  readonly concurrency: number
  /** So many tenants come first. */
  readonly canary?: number
}

/**
 * What the flags select together: those that name schemas add to each other, those that ask for a
 * quality narrow that down, and `-x` takes away.
 */
export function selectionOf(flags: SelectionFlags): Selection {
  const [only, ...more] = [...adding(flags), ...narrowing(flags)]
  return {
    select: only && more.length > 0 ? select.intersect(only, ...more) : only,
    exclude: flags.excludeSchema ?? [],
    limit: flags.limit,
    concurrency: flags.parallel ?? 1,
    ...(flags.canary !== undefined && { canary: flags.canary }),
  }
}

/** What the flags name, as one selector; none where there are no such flags. */
function adding(flags: SelectionFlags): readonly Selector[] {
  const selectors = [
    flags.allSchemas && select.all(),
    // "Static" has always included the shared schema on the command line.
    flags.staticSchemas && select.union(select.shared(), select.static()),
    (flags.dynamicSchemas || flags.tenantSchemas) && select.tenants(),
    flags.schema && named(flags.schema),
  ].filter((selector) => typeof selector === 'object')
  return selectors.length > 0 ? [select.union(...selectors)] : []
}

function named(words: readonly string[]): Selector {
  const globs = words.filter((word) => /[*?]/.test(word))
  if (globs.length === 0) return select.names(...words)
  const names = words.filter((word) => !globs.includes(word))
  return select.union(select.names(...names), ...globs.map((glob) => select.matching(glob)))
}

/** What takes away from the selected schemas; without other flags, from all of them. */
function narrowing({ status, where, behind }: SelectionFlags): readonly Selector[] {
  return [
    ...(status ? [select.tenants({ status: status.map(statusIn) })] : []),
    ...(where ?? []).map((pair) => select.tenants({ metadata: metadataIn(pair) })),
    ...(behind === true ? [select.behind()] : []),
  ]
}

const STATUSES: readonly TenantStatus[] = ['provisioning', 'active', 'suspended', 'deleted']

function statusIn(text: string): TenantStatus {
  const known = STATUSES.find((status) => status === text)
  if (known !== undefined) return known
  throw usageError(
    'status',
    `--status takes one of ${STATUSES.join(', ')}, not ${JSON.stringify(text)}.`,
  )
}

/** `plan=pro` as text, and `seats=5` or `trial=true` as JSON. */
function metadataIn(pair: string): Record<string, unknown> {
  const [key = '', ...rest] = pair.split('=')
  if (key === '' || rest.length === 0) {
    throw usageError(
      'where',
      `--where takes key=value, such as plan=pro, not ${JSON.stringify(pair)}.`,
    )
  }
  return { [key]: valueIn(rest.join('=')) }
}

function valueIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
