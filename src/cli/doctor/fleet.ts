import { type AuditKind, type SchemaStatus, isTenantryError } from 'tenantry'
import { errorLine } from '../render/error.js'
import { isBroken, isPending } from '../render/status.js'
import { type Check, type Patient, namesOf } from './finding.js'
import { judged } from './judged.js'

/** Whether new schemas can be made. */
export const createRight: Check = async (patient) =>
  judged(
    await namesOf(
      patient,
      `select current_database() as name
       where not has_database_privilege(current_database(), 'create')`,
      [],
    ),
    {
      check: 'right to create',
      level: 'error',
      fine: 'schemas can be made in the database',
      message: 'the user may not make schemas, so no tenant can be created',
      advice: 'As the owner: GRANT CREATE ON DATABASE … TO the user.',
    },
  )

/** Whether the schemas can be migrated. */
export const owner: Check = async (patient) =>
  judged(
    await namesOf(
      patient,
      `select nspname as name from pg_namespace
       where nspname = any ($1) and not pg_has_role(nspowner, 'usage')
         and not has_schema_privilege(oid, 'create') order by 1`,
      [patient.schemas],
    ),
    {
      check: 'owner of schemas',
      level: 'error',
      fine: 'the user may change all schemas that are there',
      message: 'the user neither owns these schemas nor may create in them',
      advice: 'As their owner: ALTER SCHEMA … OWNER TO the user, and its tables as well.',
    },
  )

/** Tenants that would be served from a schema that is not there. */
export const missingSchemas: Check = async (patient) =>
  judged(
    await namesOf(
      patient,
      `select name from unnest($1::text[]) as name
       where not exists (select from pg_namespace where nspname = name) order by 1`,
      [
        patient.tenants
          .filter(({ status }) => status !== 'provisioning')
          .map((each) => each.schema),
      ],
    ),
    {
      check: 'tenants without a schema',
      level: 'error',
      fine: 'every tenant has its schema',
      message: 'these schemas of tenants are missing',
      advice: 'Restore them by "tenantry restore … --replace", or delete and purge their tenants.',
    },
  )

/** Schemas that look like a tenant's and belong to nobody; those that are kept ready are somebody's. */
export const strangeSchemas: Check = async ({ router }) => {
  const { findings } = await router.tenants.audit()
  const strange = findings.filter(({ kind }) => STRANGE.includes(kind))
  return judged(
    strange.flatMap(({ schema }) => schema ?? []),
    {
      check: 'schemas without a tenant',
      level: 'warning',
      fine: "every schema with the tenants' prefix has its tenant",
      message: 'these schemas look like those of tenants, and belong to none',
      advice: '`tenantry tenant audit` says of each how it is repaired.',
    },
  )
}

const STRANGE: readonly AuditKind[] = ['schema-without-tenant', 'create-unfinished']

/** Names that somebody will mix up, and that poolers do. */
export const namesByCase: Check = async (patient) =>
  judged(
    await namesOf(
      patient,
      `select string_agg(nspname, ', ' order by nspname) as name from pg_namespace
       group by lower(nspname) having count(*) > 1 order by 1`,
      [],
    ),
    {
      check: 'names by case',
      level: 'warning',
      fine: 'no two schemas differ by case only',
      message: 'these schemas differ by case only',
      advice: 'Rename one of each pair: poolers compare settings without regard to case.',
    },
  )

/** What a failed CREATE INDEX CONCURRENTLY leaves behind. */
export const invalidIndexes: Check = async (patient) =>
  judged(
    await namesOf(
      patient,
      `select nspname || '.' || relname as name
       from pg_index join pg_class on pg_class.oid = indexrelid
         join pg_namespace on pg_namespace.oid = relnamespace
       where not indisvalid and nspname = any ($1) order by 1`,
      [patient.schemas],
    ),
    {
      check: 'invalid indexes',
      level: 'error',
      fine: 'all indexes are valid',
      message: 'these indexes are kept up to date, and never used',
      advice: 'REINDEX INDEX CONCURRENTLY each of them, or drop them and migrate again.',
    },
  )

/** Schemas that still need migrations. */
export const pending: Check = async ({ router }) => {
  const statuses = await router.migrations.status()
  const named = (is: (status: SchemaStatus) => boolean): readonly string[] =>
    statuses.filter(is).map(({ schema }) => schema)
  const broken = named(({ problem }) => problem !== undefined)
  if (broken.length > 0) {
    return {
      check: 'migrations',
      level: 'error',
      message: 'these schemas cannot be migrated as they are',
      advice: 'See `tenantry status` for the reason of each.',
      names: broken,
    }
  }
  return judged(
    named((status) => !isBroken(status) && isPending(status)),
    {
      check: 'migrations',
      level: 'drift',
      fine: 'all schemas are up to date',
      message: 'these schemas have pending migrations',
      advice: 'Run `tenantry migrate`.',
    },
  )
}

/** Schemas that are not what their migrations make. */
export const drift: Check = async ({ router }: Patient) => {
  try {
    const { findings } = await router.migrations.verify()
    const differing = findings.filter(({ error }) => error === undefined)
    // Of the others the check of the migrations says why they cannot be compared.
    const every =
      differing.length < findings.length ? 'every schema that can be compared' : 'every schema'
    return judged(
      differing.map(({ schema }) => schema),
      {
        check: 'drift',
        level: 'drift',
        fine: `${every} is what its migrations make`,
        message: 'these schemas differ from what their migrations make',
        advice: 'Correct what differs by a migration; `tenantry verify` looks at nothing but this.',
        details: differing.flatMap(({ schema, differences }) =>
          differences.map((difference) => `${schema}  ${difference}`),
        ),
      },
    )
  } catch (error) {
    if (!isTenantryError(error)) throw error
    return {
      check: 'drift',
      level: 'error',
      message: errorLine(error),
      advice: 'Correct the migrations; they cannot be run from the start as they are.',
    }
  }
}
