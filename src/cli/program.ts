import { createRequire } from 'node:module'
import { Command } from 'commander'
import { defineBackup } from './commands/backup.js'
import { defineCompletion } from './commands/completion.js'
import { defineDev } from './commands/dev.js'
import { defineDoctor } from './commands/doctor.js'
import {
  defineDomainAdd,
  defineDomainList,
  defineDomainPrimary,
  defineDomainRemove,
  defineDomainVerify,
} from './commands/domain.js'
import { defineExec } from './commands/exec.js'
import { defineExport } from './commands/export.js'
import { defineInit } from './commands/init.js'
import { defineLint } from './commands/lint.js'
import { defineMarkApplied } from './commands/mark-applied.js'
import { defineMigrate } from './commands/migrate.js'
import { defineNew } from './commands/new.js'
import { definePlan } from './commands/plan.js'
import { defineRedo } from './commands/redo.js'
import { defineRestore } from './commands/restore.js'
import { defineRollback } from './commands/rollback.js'
import { defineRun } from './commands/run.js'
import { defineStatus } from './commands/status.js'
import { defineTenantAudit } from './commands/tenant-audit.js'
import { defineTenantClone } from './commands/tenant-clone.js'
import { defineTenantCreate } from './commands/tenant-create.js'
import { defineTenantList } from './commands/tenant-list.js'
import { defineTenantPurge } from './commands/tenant-purge.js'
import { defineTenantRename } from './commands/tenant-rename.js'
import { defineTenantShow } from './commands/tenant-show.js'
import {
  defineTenantActivate,
  defineTenantDelete,
  defineTenantUndelete,
  defineTenantSuspend,
} from './commands/tenant-status.js'
import { defineVerify } from './commands/verify.js'
import { defineWhowill } from './commands/whowill.js'
import type { Define, Settle } from './definition.js'

/** The commands, in the order in which the help and the documentation list them. */
const COMMANDS: readonly Define[] = [
  defineInit,
  defineDev,
  defineNew,
  defineLint,
  defineMigrate,
  definePlan,
  defineStatus,
  defineVerify,
  defineRollback,
  defineRedo,
  defineMarkApplied,
  defineWhowill,
  defineRun,
  defineExec,
  defineBackup,
  defineRestore,
  defineExport,
  defineDoctor,
  defineCompletion,
]

const TENANT_COMMANDS: readonly Define[] = [
  defineTenantCreate,
  defineTenantList,
  defineTenantShow,
  defineTenantSuspend,
  defineTenantActivate,
  defineTenantRename,
  defineTenantClone,
  defineTenantDelete,
  defineTenantUndelete,
  defineTenantPurge,
  defineTenantAudit,
]

const DOMAIN_COMMANDS: readonly Define[] = [
  defineDomainAdd,
  defineDomainRemove,
  defineDomainPrimary,
  defineDomainVerify,
  defineDomainList,
]

/** The whole command line; `settle` hears with which exit code a command ended. */
export function buildProgram(settle: Settle): Command {
  const program = new Command('tenantry')
    .description('Schema-per-tenant PostgreSQL: tenants, and migrations over all of their schemas')
    .version(packageVersion(), '-V, --version')
    .option('--config <file>', 'the configuration (default: tenantry.config.* here or above)')
    .option('--database-url <url>', 'the database (default: of the configuration, or DATABASE_URL)')
    .exitOverride()
    // Errors are written once, in one form, by whoever runs the program.
    .configureOutput({ outputError: () => {} })
  for (const define of COMMANDS) define(program, settle)
  const tenant = program.command('tenant').description('the tenants, from creating to purging them')
  for (const define of TENANT_COMMANDS) define(tenant, settle)
  const domain = program.command('domain').description('the host names that lead to tenants')
  for (const define of DOMAIN_COMMANDS) define(domain, settle)
  return program
}

function packageVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('tenantry/package.json')
  return isManifest(manifest) ? manifest.version : 'unknown'
}

function isManifest(input: unknown): input is { readonly version: string } {
  return typeof input === 'object' && input !== null && 'version' in input
}
