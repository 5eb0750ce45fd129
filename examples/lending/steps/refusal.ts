import { type SchemaRouter, type TenantryError, isTenantryError } from 'tenantry'

/** Asks for loans without saying whose: there is no default that could be the wrong lender's. */
export async function askWithoutScope(router: SchemaRouter): Promise<TenantryError | undefined> {
  try {
    await router.pool.query('select * from loans')
    return undefined
  } catch (error) {
    if (isTenantryError(error)) return error
    throw error
  }
}
