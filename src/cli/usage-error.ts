import { TenantryError } from 'tenantry'

/** The error for a command line that cannot be carried out. */
export function usageError(option: string, sentence: string, cause?: unknown): TenantryError {
  return new TenantryError('OPTIONS_INVALID', sentence, { option, cause })
}
