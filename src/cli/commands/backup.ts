import type { BackupOptions } from 'tenantry'
import { type Command, Option } from 'commander'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption } from '../flags.js'
import { listenForInterrupts } from '../interrupt.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { durationText } from '../render/duration.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** `tenantry backup` */
export const defineBackup: Define = (program, settle) => {
  program
    .command('backup')
    .description('write an archive of one tenant, as it is at one moment')
    .requiredOption('-s, --schema <slug>', 'the tenant, by its slug')
    .requiredOption('-o, --output <file>', 'the archive, such as acme.tenantry.gz')
    .addOption(
      new Option('--engine <engine>', 'what makes the archive')
        .choices(['built-in', 'pg_dump'] as const)
        .default('built-in'),
    )
    .addOption(jsonOption())
    .action(async (_flags, command: Command) => settle(await backup(command.optsWithGlobals())))
}

/** Flags of `tenantry backup`. */
export interface BackupFlags extends ConnectionFlags, OutputFlags {
  readonly schema: string
  readonly output: string
  readonly engine: NonNullable<BackupOptions['engine']>
}

/** Writes an archive of one tenant. */
async function backup(flags: BackupFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  return withRouter(flags, { output, clients: 2 }, async (router) => {
    const began = performance.now()
    const { signal } = listenForInterrupts((line) => output.note(line))
    const { engine } = flags
    const report = await router.tenants.backup(flags.schema, flags.output, { engine, signal })
    const { schema, tables, rows } = report
    const done = `${output.colors.green('backed up')}  ${rows} rows of ${tables} tables`
    output.tell(`${schema}  ${done}  ${durationText(performance.now() - began)}`)
    if (flags.json) printJson(output, report)
    return EXIT.fine
  })
}
