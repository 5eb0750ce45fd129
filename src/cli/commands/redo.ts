import type { Command } from 'commander'
import type { SelectionFlags } from '../arguments.js'
import { chooseSchemas } from '../choose.js'
import type { Define } from '../definition.js'
import type { ExitCode } from '../exit-code.js'
import { lintOption, selecting, telling } from '../flags.js'
import { type MigrationRunFlags, runMigrations } from '../migration-run.js'

/** `tenantry redo` */
export const defineRedo: Define = (program, settle) => {
  telling(selecting(program.command('redo')))
    .description('take the newest migration back and run it again; for development')
    .addOption(lintOption())
    .action(async (_flags, command: Command) => settle(await redo(command.optsWithGlobals())))
}

/** Flags of `tenantry redo`. */
export interface RedoFlags extends MigrationRunFlags, SelectionFlags {}

/** Takes the newest migration of each selected schema back and runs it again. */
async function redo(flags: RedoFlags): Promise<ExitCode> {
  return runMigrations(flags, {
    chosen: await chooseSchemas(flags, 'Where to redo the newest migration'),
    done: 'redone',
    start: (router, options) => router.migrations.redo(options),
  })
}
