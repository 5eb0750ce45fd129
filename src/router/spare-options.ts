import { isBridge } from '../migration/bridges/bridge.js'
import type { SchemaLayout } from '../migration/layout.js'
import { spareName } from '../names/spare-name.js'
import { optionInvalid, wholeNumber } from '../support/options.js'

/** Checks how many spares there are to be; what makes schemas elsewhere cannot be done ahead. */
export function resolveSpares(
  spares: unknown = 0,
  { tenants }: SchemaLayout,
  autoCreateSchema: boolean,
): number {
  const count = wholeNumber('spares', spares, 0)
  if (count === 0) return 0
  if (!autoCreateSchema) {
    throw optionInvalid(
      'spares',
      'Option "spares" contradicts "schemas.tenants.autoCreateSchema": no schemas are made here.',
    )
  }
  if (isBridge(tenants.source)) {
    throw optionInvalid(
      'spares',
      `Option "spares" cannot be used where ${tenants.source.origin} migrates the tenants: it is ` +
        'told the name of each schema. Leave the option out.',
    )
  }
  // Throws for a prefix that is too long.
  spareName(tenants.prefix)
  return count
}
