import assert from 'node:assert/strict'
import { type ErrorCode, isTenantryError } from '../../errors.js'
import { isError } from '../../support/is-error.js'

/** Errors wrap each other; deeper than this they are no chain any more. */
const MAX_DEPTH = 6

/** Expects work to fail with an error of the package, however often others have wrapped it. */
export async function expectCode(code: ErrorCode, work: () => unknown): Promise<void> {
  const error: unknown = await (async () => work())().then(
    () => assert.fail(`It should fail with ${code}, and it went through.`),
    (reason: unknown) => reason,
  )
  if (!carries(error, code, 0)) throw error
}

/** ORMs keep the error that they wrap as `cause`, `original`, `previous` or by its text only. */
function carries(error: unknown, code: ErrorCode, depth: number): boolean {
  if (isTenantryError(error, code)) return true
  if (!isError(error) || depth === MAX_DEPTH) return false
  const inner = Object.getOwnPropertyNames(error).map((key) => Reflect.get(error, key) as unknown)
  return inner.some((value) => carries(value, code, depth + 1))
}
