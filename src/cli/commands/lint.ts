import { resolve } from 'node:path'
import type { TenantryConfig } from 'tenantry'
import {
  type MigrationSource,
  directory as directorySource,
  lint as lintMigrations,
} from 'tenantry/migrate'
import type { Command } from 'commander'
import { findConfig, loadConfig } from '../config.js'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption } from '../flags.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { findingLines } from '../render/finding.js'
import type { ConnectionFlags } from '../router.js'
import { usageError } from '../usage-error.js'

/** `tenantry lint` */
export const defineLint: Define = (program, settle) => {
  program
    .command('lint')
    .description("look for SQL that is unsafe in every tenant's schema; needs no database")
    .argument('[directory]', 'the migrations (default: of the tenants in the configuration)')
    .option('--allow <schema...>', 'schemas that the migrations may read from by name')
    .addOption(jsonOption())
    .action(async (directory: string | undefined, _flags, command: Command) =>
      settle(await lint(directory, command.optsWithGlobals())),
    )
}

/** Flags of `tenantry lint`. */
export interface LintFlags extends Pick<ConnectionFlags, 'config'>, OutputFlags {
  readonly allow?: readonly string[]
}

type TenantsOptions = NonNullable<NonNullable<TenantryConfig['schemas']>['tenants']>

/**
 * Looks for SQL that is unsafe when a file runs in every tenant's schema; needs no database.
 *
 * @param folder The migrations; without it, those of the tenants in the configuration.
 */
async function lint(folder: string | undefined, flags: LintFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  // A configuration makes its own folder the working directory.
  const called = process.cwd()
  const given = folder === undefined ? undefined : resolve(folder)
  const { schemas: { tenants = {} } = {}, guard } = await configFor(flags.config, given)
  const source = sourceOf(given ?? tenants.migrations)
  const { searchPath = [] } = tenants
  const findings = await lintMigrations(source, { searchPath, allow: flags.allow ?? [], guard })
  for (const line of findingLines(findings, called, output.colors)) output.tell(line)
  if (flags.json) printJson(output, findings)
  return findings.some(({ level }) => level === 'error') ? EXIT.failed : EXIT.fine
}

function sourceOf(migrations: TenantsOptions['migrations']): MigrationSource {
  if (typeof migrations === 'string') return directorySource(migrations)
  if (migrations !== undefined && 'load' in migrations) return migrations
  const why =
    migrations === undefined
      ? 'The configuration has no migrations for tenants.'
      : `${migrations.origin} keeps the migrations of the tenants itself.`
  throw usageError('directory', `${why} Name their directory: tenantry lint <directory>.`)
}

/** With a directory the configuration may be missing; it then tells the path and the guard only. */
async function configFor(
  file: string | undefined,
  directory: string | undefined,
): Promise<TenantryConfig> {
  const needless = directory !== undefined && file === undefined
  if (needless && (await findConfig(process.cwd())) === undefined) return {}
  const { config } = await loadConfig(file)
  return config
}
