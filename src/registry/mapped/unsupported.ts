import { TenantryError } from '../../errors.js'

/**
 * The error for what a mapping has no place for.
 *
 * @param option What would have to be mapped.
 */
export function unsupported(option: string, sentence: string): TenantryError {
  return new TenantryError('REGISTRY_UNSUPPORTED', sentence, { option })
}

/** The error for what is to be kept where no column is mapped for it. */
export function noColumn(option: string, what: string): TenantryError {
  return unsupported(
    option,
    `The registry has no place for ${what}. Map a column by "${option}" of mappedRegistry.`,
  )
}
