import { createJiti } from 'jiti'
import * as tenantry from 'tenantry'
import * as migrate from 'tenantry/migrate'

/**
 * Imports a file of the project, in TypeScript or JavaScript.
 *
 * It gets this copy of the package, also where none is installed beside it.
 */
export function loadModule(path: string): Promise<unknown> {
  const virtualModules = { tenantry, 'tenantry/migrate': migrate }
  return createJiti(import.meta.url, { fsCache: false, virtualModules }).import(path)
}

/** Whether something is an object that may have members. */
export function isObject(input: unknown): input is Readonly<Record<string, unknown>> {
  return typeof input === 'object' && input !== null
}
