import { type ErrorCode, TenantryError } from '../../errors.js'

/** The code of an answer to a request that is not served. */
export type RefusalCode = Extract<
  ErrorCode,
  'TENANT_NOT_FOUND' | 'TENANT_SUSPENDED' | 'TENANT_UNRESOLVED'
>

/** Why a request is not served. Frameworks take the status of their answer from it. */
export type Refusal = TenantryError & { readonly status: number; readonly statusCode: number }

/**
 * The body of such an answer, as `application/problem+json`; branch on its `code`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export interface Problem {
  /** The phrase of the status: what RFC 9457 asks for where a problem has no type of its own. */
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: RefusalCode
}

/** The media type of a {@link Problem}. */
export const PROBLEM_TYPE = 'application/problem+json'

const ANSWERS: Readonly<Record<RefusalCode, Omit<Problem, 'code'>>> = {
  TENANT_NOT_FOUND: {
    status: 404,
    title: 'Not Found',
    detail: 'Nobody is served at this address.',
  },
  TENANT_SUSPENDED: { status: 403, title: 'Forbidden', detail: 'This account is not served.' },
  TENANT_UNRESOLVED: {
    status: 400,
    title: 'Bad Request',
    detail: 'The request does not say which account it is for.',
  },
}

/** The error for a request that is not served. */
export function refusal(code: RefusalCode, tenant?: string, cause?: unknown): Refusal {
  const { status } = ANSWERS[code]
  const error = new TenantryError(code, SENTENCES[code], { tenant, cause })
  return Object.assign(error, { status, statusCode: status })
}

const SENTENCES: Readonly<Record<RefusalCode, string>> = {
  TENANT_NOT_FOUND:
    'The request leads to no tenant. Add the tenant or its domain, or check the option "tenant".',
  TENANT_SUSPENDED:
    'The request leads to a tenant that is not active. Call router.tenants.activate() to serve it.',
  TENANT_UNRESOLVED:
    'The request names no tenant. Check the option "tenant", or set the option "missing".',
}

/**
 * What a refusal is answered with. It says nothing of tenants that the caller has not said himself.
 *
 * @example
 * import { isTenantryError } from 'tenantry'
 * import { type Problem, problemOf, type Refusal } from 'tenantry/http'
 *
 * const code = (refused: Refusal): Problem['code'] => problemOf(refused).code
 */
export function problemOf({ code }: TenantryError): Problem {
  const known = isRefusalCode(code) ? code : 'TENANT_UNRESOLVED'
  return { ...ANSWERS[known], code: known }
}

/** Tells whether an error's code is one that requests are refused with. */
export function isRefusalCode(code: ErrorCode): code is RefusalCode {
  return code in ANSWERS
}
