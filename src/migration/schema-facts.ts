import type { FleetSchema, SchemaKind } from '../selector/selector.js'

/** What the command line and the reports call a schema. */
export interface SchemaFacts {
  readonly schema: string
  readonly kind: SchemaKind
  /** Slug of the tenant that owns the schema. */
  readonly tenant?: string
  /** It is kept ready for a tenant that is still to come. */
  readonly spare?: true
}

/** What a report says of a schema, whatever became of it. */
export function factsOf({ schema, kind, tenant, spare }: FleetSchema): SchemaFacts {
  return { schema, kind, ...(tenant && { tenant: tenant.slug }), ...(spare && { spare }) }
}
