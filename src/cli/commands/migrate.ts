import { select } from 'tenantry'
import type { Command } from 'commander'
import { type SelectionFlags, selectionOf } from '../arguments.js'
import type { Define } from '../definition.js'
import type { ExitCode } from '../exit-code.js'
import { lintOption, selecting, telling } from '../flags.js'
import { type MigrationRunFlags, runMigrations } from '../migration-run.js'

/** `tenantry migrate` */
export const defineMigrate: Define = (program, settle) => {
  telling(selecting(program.command('migrate').alias('migrateschema')))
    .description('bring schemas up to date, all of them unless some are selected')
    .option('--to <migration>', 'the last migration to run: its file name, its name or its number')
    .option('--verify', 'compare the schemas afterwards; exit code 3 when one differs')
    .addOption(lintOption())
    .action(async (_flags, command: Command) => settle(await migrate(command.optsWithGlobals())))
}

/** Flags of `tenantry migrate`. */
export interface MigrateFlags extends MigrationRunFlags, SelectionFlags {
  readonly to?: string
  readonly verify?: boolean
}

/** Brings the selected schemas up to date; all of them if none are selected. */
async function migrate(flags: MigrateFlags): Promise<ExitCode> {
  const { select: selected = select.all(), ...chosen } = selectionOf(flags)
  const { to, verify = false } = flags
  return runMigrations(flags, {
    chosen: { ...chosen, select: selected },
    done: 'migrated',
    start: (router, options) =>
      router.migrations.up({ ...options, ...(to !== undefined && { to }), verify }),
  })
}
