import { type RunReport, type SchemaRouter, select } from 'tenantry'
import type { Command } from 'commander'
import { type SelectionFlags, selectionOf } from '../arguments.js'
import type { Define } from '../definition.js'
import type { ExitCode } from '../exit-code.js'
import { lintOption, selecting, telling } from '../flags.js'
import { type MigrationRunFlags, runMigrations } from '../migration-run.js'
import { pageFile, writePage } from '../status-page/page-file.js'
import type { StatusPage } from '../status-page/status-page.js'

/** `tenantry migrate` */
export const defineMigrate: Define = (program, settle) => {
  telling(selecting(program.command('migrate').alias('migrateschema')))
    .description('bring schemas up to date, all of them unless some are selected')
    .option('--to <migration>', 'the last migration to run: its file name, its name or its number')
    .option('--verify', 'compare the schemas afterwards; exit code 3 when one differs')
    .option(
      '--html <file>',
      'write how the schemas stand afterwards, and errors, as a page for a browser',
    )
    .addOption(lintOption())
    .action(async (_flags, command: Command) => settle(await migrate(command.optsWithGlobals())))
}

/** Flags of `tenantry migrate`. */
export interface MigrateFlags extends MigrationRunFlags, SelectionFlags {
  readonly to?: string
  readonly verify?: boolean
  readonly html?: string
}

/** Brings the selected schemas up to date; all of them if none are selected. */
async function migrate(flags: MigrateFlags): Promise<ExitCode> {
  const { select: selected = select.all(), ...chosen } = selectionOf(flags)
  const { to, verify = false } = flags
  const file = await pageFile(flags.html)
  return runMigrations(flags, {
    chosen: { ...chosen, select: selected },
    done: 'migrated',
    start: (router, options) =>
      router.migrations.up({ ...options, ...(to !== undefined && { to }), verify }),
    ...(file !== undefined && {
      finish: async (router, report, output) =>
        writePage(file, await pageOf(router, report), output),
    }),
  })
}

/** A run may have been about schemas that are behind, which they no longer are. */
async function pageOf(router: SchemaRouter, report: RunReport): Promise<StatusPage> {
  const ran = new Set(report.outcomes.map(({ schema }) => schema))
  const all = await router.migrations.status()
  return {
    statuses: all.filter(({ schema }) => ran.has(schema)),
    ...(report.verified && { verified: report.verified }),
    run: report,
    made: new Date(),
  }
}
