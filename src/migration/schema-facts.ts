import type { FleetSchema, SchemaKind } from '../selector/selector.js'

/** What the command line and the reports call a schema. */
export interface SchemaFacts {
  readonly schema: string
  readonly kind: SchemaKind
  /** Slug of the tenant that owns the schema. */
  readonly tenant?: string
}

/** What a report says of a schema, whatever became of it. */
export function factsOf({ schema, kind, tenant }: FleetSchema): SchemaFacts {
  return { schema, kind, ...(tenant && { tenant: tenant.slug }) }
}
