import type { BackupOptions } from 'tenantry'
import { type Command, Option } from 'commander'
import type { SelectionFlags } from '../arguments.js'
import { chooseSchemas } from '../choose.js'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { selecting, telling } from '../flags.js'
import { runFleetArchives } from '../fleet-archives.js'
import { isFolder } from '../files.js'
import { listenForInterrupts } from '../interrupt.js'
import { openOutput, printReport } from '../output.js'
import { durationText } from '../render/duration.js'
import { type ConnectionFlags, withRouter } from '../router.js'
import type { RunViewFlags } from '../run-view.js'
import { usageError } from '../usage-error.js'

/** `tenantry backup` */
export const defineBackup: Define = (program, settle) => {
  telling(selecting(program.command('backup')))
    .description('write an archive of one tenant, or of each selected tenant into a folder')
    .requiredOption(
      '-o, --output <path>',
      'the archive of one tenant, such as acme.tenantry.gz; else a folder, such as backups/monday/',
    )
    .addOption(
      new Option('--engine <engine>', 'what makes the archive')
        .choices(['built-in', 'pg_dump'] as const)
        .default('built-in'),
    )
    .action(async (_flags, command: Command) => settle(await backup(command.optsWithGlobals())))
}

/** Flags of `tenantry backup`. */
export interface BackupFlags extends ConnectionFlags, SelectionFlags, RunViewFlags {
  readonly output: string
  readonly engine: NonNullable<BackupOptions['engine']>
}

/** Writes an archive of one tenant, or of many. */
async function backup(flags: BackupFlags): Promise<ExitCode> {
  const one = onlyName(flags)
  const isForMany = /[/\\]$/.test(flags.output) || (await isFolder(flags.output))
  if (one !== undefined && !isForMany) return backupOne(flags, one)
  if (/\.(gz|dump)$/i.test(flags.output)) {
    throw usageError(
      'output',
      `More than one tenant may be selected, and ${flags.output} looks like one archive. Give a ` +
        'folder, such as -o backups/monday/, or one tenant by -s.',
    )
  }
  const chosen = await chooseSchemas(flags, 'What to back up')
  return runFleetArchives(flags, {
    concurrency: chosen.concurrency,
    done: 'backed up',
    start: (router, options) =>
      router.tenants.backupAll(flags.output, { ...chosen, ...options, engine: flags.engine }),
  })
}

/** The one tenant that is selected by its name and by nothing else. */
function onlyName(flags: BackupFlags): string | undefined {
  const { schema = [] } = flags
  const [name] = schema
  const others = [
    flags.allSchemas,
    flags.staticSchemas,
    flags.dynamicSchemas,
    flags.tenantSchemas,
    flags.status,
    flags.where,
    flags.behind,
    flags.excludeSchema,
    flags.limit,
  ]
  if (schema.length > 1 || others.some((flag) => flag !== undefined)) return undefined
  return name !== undefined && /[*?]/.test(name) ? undefined : name
}

async function backupOne(flags: BackupFlags, slug: string): Promise<ExitCode> {
  const output = openOutput({ json: flags.json === true || flags.events === true })
  return withRouter(flags, { output, clients: 2 }, async (router) => {
    const began = performance.now()
    const { signal } = listenForInterrupts((line) => output.note(line))
    const { engine } = flags
    const report = await router.tenants.backup(slug, flags.output, { engine, signal })
    const { schema, tables, rows } = report
    const done = `${output.colors.green('backed up')}  ${rows} rows of ${tables} tables`
    output.tell(`${schema}  ${done}  ${durationText(performance.now() - began)}`)
    printReport(flags, output, report)
    return EXIT.fine
  })
}
