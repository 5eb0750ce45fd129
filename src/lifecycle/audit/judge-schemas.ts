import { schemaKeyOf } from '../../migration/unit/enter.js'
import type { SchemaLayout } from '../../migration/layout.js'
import { quoteIdent } from '../../names/schema-name.js'
import type { AuditFinding } from './finding.js'
import { isLike } from './judge-names.js'
import type { Observed, SeenSchema } from './observe.js'
import { reservedSchemas } from './reserved.js'

type Judgement = Pick<AuditFinding, 'kind' | 'message' | 'repair' | 'since'>

/** What is the matter with schemas that look like a tenant's, and are no tenant's. */
export function judgeSchemas(
  { tenants, schemas, spares, heldKeys }: Observed,
  layout: SchemaLayout,
): readonly AuditFinding[] {
  const owned = tenants.map(({ schema }) => schema)
  const known = new Set([...reservedSchemas(layout), ...owned, ...spares])
  return schemas.flatMap((schema) => {
    if (known.has(schema.name)) return []
    const found = judge(schema, layout.tenants.prefix)
    if (found === undefined) return []
    const { kind, message, repair, since } = found
    const busy = heldKeys.has(schemaKeyOf(schema.name))
    return [
      {
        kind,
        schema: schema.name,
        ...(since && { since }),
        ...(busy && { busy: true as const }),
        message,
        repair: busy
          ? `Somebody is at work on it now: look again when that is over. ${repair}`
          : repair,
      },
    ]
  })
}

function judge(schema: SeenSchema, prefix: string): Judgement | undefined {
  const { name, mark, hasLedger } = schema
  if (mark?.kind === 'creating') return unfinished(name, mark.at)
  if (mark !== undefined || isLike(prefix, name)) return orphan(schema, prefix)
  if (hasLedger) return foreign(name)
  return undefined
}

function unfinished(name: string, since: Date): Judgement {
  return {
    kind: 'create-unfinished',
    since,
    message: `The schema "${name}" was made for a new tenant, whose creation did not come to its end.`,
    repair: `Run "drop schema ${quoteIdent(name)} cascade", and create the tenant again.`,
  }
}

function orphan({ name, mark }: SeenSchema, prefix: string): Judgement {
  return {
    kind: 'schema-without-tenant',
    ...(mark && { since: mark.at }),
    message: `The schema "${name}" belongs to no tenant${mark ? `, and is marked as "${mark.kind}"` : ''}.`,
    repair:
      `Look at what is in it. Run "drop schema ${quoteIdent(name)} cascade" if nobody needs it; rename it ` +
      `so that it does not begin with "${prefix}" to keep it; or make it a tenant's by tenants.create() ` +
      'with the option schemas.tenants.autoCreateSchema: false.',
  }
}

function foreign(name: string): Judgement {
  return {
    kind: 'ledger-without-tenant',
    message: `The schema "${name}" has had migrations of this package, and is neither in the configuration nor a tenant's.`,
    repair:
      'Find out whether another service of this database has it. If not, add it to schemas.static, or drop it.',
  }
}
