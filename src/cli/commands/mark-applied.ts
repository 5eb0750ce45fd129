import type { Command } from 'commander'
import type { SelectionFlags } from '../arguments.js'
import { chooseSchemas } from '../choose.js'
import type { Define } from '../definition.js'
import type { ExitCode } from '../exit-code.js'
import { selecting, telling } from '../flags.js'
import { type MigrationRunFlags, runMigrations } from '../migration-run.js'

/** `tenantry mark-applied` */
export const defineMarkApplied: Define = (program, settle) => {
  telling(selecting(program.command('mark-applied')))
    .description('note migrations as done without running them, where other means made the schema')
    .requiredOption('--to <migration>', 'the last migration that counts as done')
    .action(async (_flags, command: Command) =>
      settle(await markApplied(command.optsWithGlobals())),
    )
}

/** Flags of `tenantry mark-applied`. */
export interface MarkAppliedFlags extends MigrationRunFlags, SelectionFlags {
  readonly to: string
}

/** Notes migrations as done in the selected schemas. */
async function markApplied(flags: MarkAppliedFlags): Promise<ExitCode> {
  const { to } = flags
  return runMigrations(flags, {
    chosen: await chooseSchemas(flags, `Where to note migrations up to ${to} as done`),
    done: 'noted',
    start: (router, options) => router.migrations.markApplied({ ...options, to }),
  })
}
