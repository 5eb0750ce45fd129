import type { ExportFormat } from 'tenantry'
import { type Command, Option } from 'commander'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption } from '../flags.js'
import { listenForInterrupts } from '../interrupt.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { durationText } from '../render/duration.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** `tenantry export` */
export const defineExport: Define = (program, settle) => {
  program
    .command('export')
    .description("write one tenant's data as CSV or NDJSON, for a customer who asks for them")
    .requiredOption('-s, --schema <slug>', 'the tenant, by its slug')
    .requiredOption('-o, --output <folder>', 'the folder, which must not exist or be empty')
    .addOption(formatOption())
    .option('--except <table...>', 'tables that are left out')
    .addOption(jsonOption())
    .action(async (_flags, command: Command) => settle(await exportData(command.optsWithGlobals())))
}

function formatOption(): Option {
  return new Option('--format <format>', 'the form of the rows: a file for each table')
    .choices(['csv', 'ndjson'])
    .makeOptionMandatory()
}

/** Flags of `tenantry export`. */
export interface ExportFlags extends ConnectionFlags, OutputFlags {
  readonly schema: string
  readonly output: string
  readonly format: ExportFormat
  readonly except?: readonly string[]
}

/** Writes a folder with the data of one tenant. */
async function exportData(flags: ExportFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  return withRouter(flags, { output }, async (router) => {
    const began = performance.now()
    const { signal } = listenForInterrupts((line) => output.note(line))
    const { format, except = [] } = flags
    const report = await router.tenants.export(flags.schema, flags.output, {
      format,
      except,
      signal,
    })
    const { schema, tables, rows } = report
    const done = `${output.colors.green('exported')}  ${rows} rows of ${tables} tables`
    output.tell(`${schema}  ${done}  ${durationText(performance.now() - began)}`)
    if (flags.json) printJson(output, report)
    return EXIT.fine
  })
}
