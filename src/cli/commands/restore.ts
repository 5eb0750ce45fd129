import type { RestoreReport } from 'tenantry'
import type { Command } from 'commander'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { DEFAULT_PARALLEL } from '../arguments.js'
import { parseCount, telling } from '../flags.js'
import { runFleetArchives } from '../fleet-archives.js'
import { isFolder } from '../files.js'
import { listenForInterrupts } from '../interrupt.js'
import { openOutput, printReport } from '../output.js'
import { durationText } from '../render/duration.js'
import { type ConnectionFlags, withRouter } from '../router.js'
import type { RunViewFlags } from '../run-view.js'
import { usageError } from '../usage-error.js'

/** `tenantry restore` */
export const defineRestore: Define = (program, settle) => {
  telling(program.command('restore'))
    .description('bring a tenant back from an archive, or all tenants of a folder')
    .argument('<path>', 'what `tenantry backup` has written: a file, or a folder')
    .option('--as <slug>', 'the slug that it is to have (default: the one that it had)')
    .option('--replace', 'put it in the place of the tenant, whose former schema is kept')
    .option(
      '--parallel [n]',
      `of a folder, so many tenants at the same time; ${DEFAULT_PARALLEL} without n`,
      parseCount,
    )
    .option('--skip-existing', 'of a folder, leave tenants alone whose slug is taken')
    .action(async (path: string, _flags, command: Command) =>
      settle(await restore(path, command.optsWithGlobals())),
    )
}

/** Flags of `tenantry restore`. */
export interface RestoreFlags extends ConnectionFlags, RunViewFlags {
  readonly as?: string
  readonly replace?: boolean
  readonly parallel?: number
  readonly skipExisting?: boolean
}

async function restore(path: string, flags: RestoreFlags): Promise<ExitCode> {
  return (await isFolder(path)) ? restoreFolder(path, flags) : restoreFile(path, flags)
}

/** Restores all tenants of a folder. */
async function restoreFolder(folder: string, flags: RestoreFlags): Promise<ExitCode> {
  if (flags.as !== undefined || flags.replace === true) {
    throw usageError(
      flags.replace === true ? 'replace' : 'as',
      `--as and --replace are for one archive, and ${folder} is a folder. Name a file in it.`,
    )
  }
  const { parallel: concurrency = 1, skipExisting = false } = flags
  return runFleetArchives(flags, {
    concurrency,
    done: 'restored',
    start: (router, options) =>
      router.tenants.restoreAll(folder, { ...options, concurrency, skipExisting }),
  })
}

/** Restores a tenant from an archive. */
async function restoreFile(file: string, flags: RestoreFlags): Promise<ExitCode> {
  const output = openOutput({ json: flags.json === true || flags.events === true })
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
    printReport(flags, output, report)
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
