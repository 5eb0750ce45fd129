import { type Command, InvalidArgumentError, Option } from 'commander'
import { DEFAULT_PARALLEL } from './arguments.js'

/** The flag of every command whose result can be one JSON document. */
export function jsonOption(): Option {
  return new Option('--json', 'write one JSON document to stdout, and the rest to stderr')
}

/** The flag of commands that run migrations. */
export function lintOption(): Option {
  return new Option(
    '--lint <how>',
    'what an error of the linter does; see `tenantry lint`',
  ).choices(['error', 'warn', 'off'])
}

/** Adds the flags that say how much is told of a run of migrations, and in which form. */
export function telling(command: Command): Command {
  return command
    .addOption(jsonOption())
    .option('--events', 'write each event as a line of JSON to stdout, the report last')
    .option('-q, --quiet', 'name only what failed or was skipped, and the sum')
    .option('--verbose', 'name each schema also as it is begun or tried again, also on a terminal')
}

/** Adds the flags that say which schemas a command is about: names unite, conditions narrow. */
export function selecting(command: Command): Command {
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
    .option('--canary <n>', 'so many tenants come first; if one fails, the others wait', parseCount)
    .option(
      '--parallel [n]',
      `so many schemas at the same time; ${DEFAULT_PARALLEL} without n`,
      parseCount,
    )
}

/** Reads the value of a flag that counts something. */
export function parseCount(text: string): number {
  const count = Number(text)
  if (Number.isSafeInteger(count) && count >= 1) return count
  throw new InvalidArgumentError('Give a whole number of at least 1.')
}
