import { optionInvalid, refuseUnknown } from '../../support/options.js'
import { TENANT_STATUSES, type TenantStatus } from '../tenant.js'
import { unsupported } from './unsupported.js'

/** What a column of statuses may hold. */
export type StatusValue = string | number | boolean | null

/** How a service calls the statuses of its tenants. */
export interface StatusWords {
  /**
   * What is written for a status.
   *
   * @throws `REGISTRY_UNSUPPORTED` when the service has no word for it
   */
  write(status: TenantStatus): string | null
  /** @throws `OPTIONS_INVALID` for a value that stands for no status */
  read(value: string | null, slug: string): TenantStatus
}

/**
 * Checks what stands for each status.
 *
 * @throws `OPTIONS_INVALID`
 */
export function resolveStatuses(
  given: Readonly<
    Partial<Record<TenantStatus, StatusValue | readonly StatusValue[]>>
  > = wordForWord(),
): StatusWords {
  refuseUnknown('statuses.', given, TENANT_STATUSES)
  const written = new Map<TenantStatus, string | null>()
  const known = new Map<string | null, TenantStatus>()
  for (const status of TENANT_STATUSES) {
    for (const value of valuesOf(status, given[status])) {
      const other = known.get(value)
      if (other !== undefined) throw twoMeanings(status, other, value)
      known.set(value, status)
      if (!written.has(status)) written.set(status, value)
    }
  }
  if (!written.has('active')) {
    throw optionInvalid('statuses.active', 'Option "statuses.active" must say what is active.')
  }
  return {
    write: (status) => {
      const value = written.get(status)
      if (value === undefined) throw noWord(status)
      return value
    },
    read: (value, slug) => known.get(value) ?? noStatus(value, slug),
  }
}

function wordForWord(): Readonly<Partial<Record<TenantStatus, string>>> {
  return Object.fromEntries(TENANT_STATUSES.map((status) => [status, status]))
}

function valuesOf(
  status: TenantStatus,
  given: StatusValue | readonly StatusValue[] | undefined,
): readonly (string | null)[] {
  const values: readonly unknown[] = Array.isArray(given)
    ? given
    : given === undefined
      ? []
      : [given]
  return values.map((value) => {
    if (value === null) return null
    // What the column holds is compared as a text, whatever its type is.
    if (typeof value === 'string') return value
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    throw optionInvalid(
      `statuses.${status}`,
      `Option "statuses.${status}" must be a text, a number, a boolean, null, or a list of them.`,
    )
  })
}

function twoMeanings(status: string, other: string, value: string | null): Error {
  return optionInvalid(
    `statuses.${status}`,
    `The value ${JSON.stringify(value)} stands for "${other}" and for "${status}". Use it once.`,
  )
}

function noWord(status: TenantStatus): Error {
  return unsupported(
    `statuses.${status}`,
    `No value of the service's table stands for the status "${status}". ` +
      `Say by "statuses.${status}" which one does.`,
  )
}

function noStatus(value: string | null, slug: string): never {
  throw optionInvalid(
    'statuses',
    `Tenant "${slug}" has the status ${JSON.stringify(value)}, which "statuses" of mappedRegistry ` +
      'does not name. Say there what it stands for.',
  )
}
