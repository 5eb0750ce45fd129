import type { RestoreReport } from 'tenantry'
import type { Command } from 'commander'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption } from '../flags.js'
import { listenForInterrupts } from '../interrupt.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { durationText } from '../render/duration.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** `tenantry restore` */
export const defineRestore: Define = (program, settle) => {
  program
    .command('restore')
    .description('bring a tenant back from an archive')
    .argument('<file>', 'what `tenantry backup` or `pg_dump` has written')
    .option('--as <slug>', 'the slug that it is to have (default: the one that it had)')
    .option('--replace', 'put it in the place of the tenant, whose former schema is kept')
    .addOption(jsonOption())
    .action(async (file: string, _flags, command: Command) =>
      settle(await restore(file, command.optsWithGlobals())),
    )
}

/** Flags of `tenantry restore`. */
export interface RestoreFlags extends ConnectionFlags, OutputFlags {
  readonly as?: string
  readonly replace?: boolean
}

/** Restores a tenant from an archive. */
async function restore(file: string, flags: RestoreFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  const { as, replace = false } = flags
  return withRouter(flags, { output, clients: 2 }, async (router) => {
    const began = performance.now()
    const { signal } = listenForInterrupts((line) => output.note(line))
    const report = await router.tenants.restore(file, {
      replace,
      signal,
      ...(as !== undefined && { as }),
    })
    const took = durationText(performance.now() - began)
    for (const line of restoreLines(report)) output.tell(line)
    output.tell(
      `${report.tenant.schema}  ${output.colors.green('restored')}  ${report.rows} rows of ${report.tables} tables  ${took}`,
    )
    if (flags.json) printJson(output, report)
    return EXIT.fine
  })
}

function restoreLines({ tenant, former, migrated, verified }: RestoreReport): readonly string[] {
  return [
    ...migrated.map((name) => `${tenant.schema}  applied  ${name}`),
    ...(former === undefined
      ? []
      : [`${former}  kept  what was there before; drop it when you like`]),
    ...(verified
      ? []
      : [
          `${tenant.schema}  not compared  beside the archive is no file that says what its rows were`,
        ]),
  ]
}
