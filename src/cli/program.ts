import { createRequire } from 'node:module'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { DEFAULT_PARALLEL, normaliseArguments } from './arguments.js'
import { dev } from './commands/dev.js'
import { init } from './commands/init.js'
import { lint } from './commands/lint.js'
import { migrate } from './commands/migrate.js'
import { run } from './commands/run.js'
import { status } from './commands/status.js'
import { tenantAudit } from './commands/tenant-audit.js'
import { tenantCreate } from './commands/tenant-create.js'
import { tenantList } from './commands/tenant-list.js'
import { verify } from './commands/verify.js'
import { whowill } from './commands/whowill.js'
import { EXIT, type ExitCode, exitCodeOf } from './exit-code.js'
import { colorsOf } from './output.js'
import { errorDetails, errorLine } from './render/error.js'

/** Hears with which exit code a command ended. */
type Settle = (code: ExitCode) => void

/** Runs one command line and resolves with its exit code; what went wrong is on stderr. */
export async function runCli(argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.fine
  const program = buildProgram((code) => {
    exitCode = code
  })
  try {
    const takers = valueFlags(program)
    const spelled = normaliseArguments(argv, (flag) => takers.has(flag))
    await program.parseAsync(spelled, { from: 'user' })
    return exitCode
  } catch (error) {
    reportError(error)
    return exitCodeOf(error)
  }
}

function reportError(error: unknown): void {
  // Help and version have been written by commander itself.
  if (error instanceof CommanderError && /^commander\.(help|version)/.test(error.code)) return
  const { red } = colorsOf(process.stderr)
  process.stderr.write(`${red(errorLine(error))}\n`)
  if (process.env['DEBUG']) process.stderr.write(`${errorDetails(error)}\n`)
}

function buildProgram(settle: Settle): Command {
  const program = new Command('tenantry')
    .description('Schema-per-tenant PostgreSQL: tenants, and migrations over all of their schemas')
    .version(packageVersion(), '-V, --version')
    .option('--config <file>', 'the configuration (default: tenantry.config.* here or above)')
    .option('--database-url <url>', 'the database (default: of the configuration, or DATABASE_URL)')
    .exitOverride()
    // Errors are written once, in one form, by whoever runs the program.
    .configureOutput({ outputError: () => {} })
  addProjectCommands(program, settle)
  addFleetCommands(program, settle)
  addTenantCommands(program, settle)
  return program
}

function addProjectCommands(program: Command, settle: Settle): void {
  program
    .command('init')
    .description('write a configuration and first migrations here; overwrites nothing')
    .option('-y, --yes', 'do not ask')
    .action(async (_flags, command: Command) => settle(await init(command.optsWithGlobals())))
  program
    .command('dev')
    .description('run a PostgreSQL for development, with its data in .tenantry/postgres')
    .action(async (_flags, command: Command) => settle(await dev(command.optsWithGlobals())))
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

function addFleetCommands(program: Command, settle: Settle): void {
  selecting(program.command('migrate').alias('migrateschema'))
    .description('bring schemas up to date, all of them unless some are selected')
    .option('--canary <n>', 'so many tenants come first; if one fails, the others wait', parseCount)
    .option('--verify', 'compare the schemas afterwards; exit code 3 when one differs')
    .addOption(
      new Option('--lint <how>', 'what an error of the linter does; see `tenantry lint`').choices([
        'error',
        'warn',
        'off',
      ]),
    )
    .addOption(jsonOption())
    .action(async (_flags, command: Command) => settle(await migrate(command.optsWithGlobals())))
  selecting(program.command('whowill'))
    .description('name the schemas that a command would be about; touches nothing')
    .addOption(jsonOption())
    .action(async (_flags, command: Command) => settle(await whowill(command.optsWithGlobals())))
  selecting(program.command('run').alias('runschema'))
    .description('run SQL in each selected schema, in a transaction per schema')
    .argument('[file]', 'a file with SQL')
    .option('-e, --execute <sql>', 'the SQL itself')
    .action(async (file: string | undefined, _flags, command: Command) =>
      settle(await run(file, command.optsWithGlobals())),
    )
  selecting(program.command('status'))
    .description('say which version schemas are on; exit code 3 when something is pending')
    .option('--html <file>', 'write the same as a page for a browser')
    .option('--verify', 'compare the schemas, too; exit code 3 when one differs')
    .addOption(jsonOption())
    .action(async (_flags, command: Command) => settle(await status(command.optsWithGlobals())))
  selecting(program.command('verify'))
    .description('compare schemas with what their migrations make; exit code 3 when one differs')
    .addOption(jsonOption())
    .action(async (_flags, command: Command) => settle(await verify(command.optsWithGlobals())))
}

function addTenantCommands(program: Command, settle: Settle): void {
  const tenant = program.command('tenant').description('create, list and audit tenants')
  tenant
    .command('create')
    .description('create a tenant with its schema and all migrations')
    .argument('<slug>', 'the stable key, for example acme')
    .option('--name <name>', 'the name for people (default: the slug)')
    .option('--domain <host...>', 'host names that lead to the tenant, the primary one first')
    .action(async (slug: string, _flags, command: Command) =>
      settle(await tenantCreate(slug, command.optsWithGlobals())),
    )
  tenant
    .command('list')
    .description('list the tenants')
    .addOption(jsonOption())
    .action(async (_flags, command: Command) => settle(await tenantList(command.optsWithGlobals())))
  tenant
    .command('audit')
    .description('find schemas without a tenant and the like; exit code 3 when there is one')
    .addOption(jsonOption())
    .action(async (_flags, command: Command) =>
      settle(await tenantAudit(command.optsWithGlobals())),
    )
}

function jsonOption(): Option {
  return new Option('--json', 'write one JSON document to stdout, and the rest to stderr')
}

/** Adds the flags that say which schemas a command is about: names unite, conditions narrow. */
function selecting(command: Command): Command {
  return command
    .option('--all-schemas', 'all schemas; short: -as')
    .option('--static-schemas', 'the shared schema and the static ones; short: -ss')
    .option('--dynamic-schemas', "the tenants' schemas; short: -ds")
    .addOption(new Option('--tenant-schemas', 'as --dynamic-schemas; short: -ts').hideHelp())
    .option('-s, --schema <name...>', 'schemas by name, slug, domain or glob')
    .option('--status <status...>', 'of these only the tenants of a status')
    .option('--where <key=value...>', 'of these only tenants with this in their metadata')
    .option('--behind', 'of these only schemas with pending migrations')
    .option(
      '--limit <n>',
      'of these at most so many tenants, those with pending migrations first',
      parseCount,
    )
    .option('-x, --exclude-schema <name...>', 'schemas or tenants that are left alone in any case')
    .option(
      '--parallel [n]',
      `so many schemas at the same time; ${DEFAULT_PARALLEL} without n`,
      parseCount,
    )
}

function parseCount(text: string): number {
  const count = Number(text)
  if (Number.isSafeInteger(count) && count >= 1) return count
  throw new InvalidArgumentError('Give a whole number of at least 1.')
}

/** The flags of all commands that must be followed by a value. */
function valueFlags(program: Command): ReadonlySet<string> {
  const commands = [program, ...program.commands.flatMap((each) => [each, ...each.commands])]
  const takers = commands.flatMap(({ options }) => options.filter(({ required }) => required))
  return new Set(takers.flatMap(({ short, long }) => [short, long].filter(isText)))
}

function isText(input: string | undefined): input is string {
  return input !== undefined
}

function packageVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('tenantry/package.json')
  return isManifest(manifest) ? manifest.version : 'unknown'
}

function isManifest(input: unknown): input is { readonly version: string } {
  return typeof input === 'object' && input !== null && 'version' in input
}
