import type { Command } from 'commander'
import type { SelectionFlags } from '../arguments.js'
import { confirmAll } from '../choose.js'
import type { Define } from '../definition.js'
import type { ExitCode } from '../exit-code.js'
import { lintOption, parseCount, selecting, telling } from '../flags.js'
import { type MigrationRunFlags, runMigrations } from '../migration-run.js'

/** `tenantry rollback` */
export const defineRollback: Define = (program, settle) => {
  telling(selecting(program.command('rollback')))
    .description("take migrations back, the newest first, by the reverses in the set's `down/`")
    .option('--to <migration>', 'the migration that is the newest afterwards; 0 takes all back')
    .option('--steps <n>', 'how many migrations to take back (default: 1)', parseCount)
    .option('-y, --yes', 'do not ask, also where no schema is selected, which means all')
    .addOption(lintOption())
    .action(async (_flags, command: Command) => settle(await rollback(command.optsWithGlobals())))
}

/** Flags of `tenantry rollback`. */
export interface RollbackFlags extends MigrationRunFlags, SelectionFlags {
  readonly to?: string
  readonly steps?: number
  readonly yes?: boolean
}

/** Takes migrations back; in all schemas only where that is confirmed. */
async function rollback(flags: RollbackFlags): Promise<ExitCode> {
  const { to, steps } = flags
  return runMigrations(flags, {
    chosen: await confirmAll(flags, 'Take migrations back in all schemas?'),
    done: 'rolled back',
    start: (router, options) =>
      router.migrations.down({
        ...options,
        ...(to !== undefined && { to }),
        ...(steps !== undefined && { steps }),
      }),
  })
}
