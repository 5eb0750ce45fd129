import { refuseUnknown } from '../support/options.js'
import type { SchemaRouterOptions } from './options.js'

const KEYS = {
  options: [
    'pool',
    'connectionString',
    'poolOptions',
    'schemas',
    'extensions',
    'guard',
    'scope',
    'registry',
    'metadata',
    'domains',
    'cache',
    'hooks',
    'spares',
  ],
  schemas: ['shared', 'static', 'tenants'],
  shared: ['name', 'migrations'],
  tenants: ['prefix', 'migrations', 'searchPath', 'autoCreateSchema'],
  scope: [
    'prepare',
    'maxStatementsPerClient',
    'maxSchemasPerClient',
    'acquireTimeout',
    'pooler',
    'settings',
  ],
} as const

/** A misspelt option would be ignored, and a schema or a limit with it. */
export function checkKeys(options: SchemaRouterOptions): void {
  const { schemas = {}, scope = {} } = options
  refuseUnknown('', options, KEYS.options)
  refuseUnknown('schemas.', schemas, KEYS.schemas)
  refuseUnknown('schemas.shared.', schemas.shared ?? {}, KEYS.shared)
  refuseUnknown('schemas.tenants.', schemas.tenants ?? {}, KEYS.tenants)
  refuseUnknown('scope.', scope, KEYS.scope)
}
