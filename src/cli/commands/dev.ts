import { dirname } from 'node:path'
import type { Command } from 'commander'
import { findConfig } from '../config.js'
import type { Define } from '../definition.js'
import { startProjectServer } from '../embedded-server.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption } from '../flags.js'
import { untilInterrupted } from '../interrupt.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import type { ConnectionFlags } from '../router.js'

/** `tenantry dev` */
export const defineDev: Define = (program, settle) => {
  program
    .command('dev')
    .description('run a PostgreSQL for development, with its data in .tenantry/postgres')
    .addOption(jsonOption())
    .action(async (_flags, command: Command) => settle(await dev(command.optsWithGlobals())))
}

/** Flags of `tenantry dev`. */
export interface DevFlags extends Pick<ConnectionFlags, 'config'>, OutputFlags {}

/** Runs the project's own PostgreSQL until the process is asked to end. */
async function dev({ config, json = false }: DevFlags): Promise<ExitCode> {
  const output = openOutput({ json })
  const file = config ?? (await findConfig(process.cwd()))
  const folder = file === undefined ? process.cwd() : dirname(file)
  const server = await startProjectServer(folder)
  try {
    const { url, version, dataDirectory, reused } = server
    if (json) printJson(output, { url, version, dataDirectory, reused })
    else output.print(`DATABASE_URL=${url}`)
    if (reused) {
      output.note(`PostgreSQL ${version} is running already; it ends where it was started.`)
      return EXIT.fine
    }
    output.note(`PostgreSQL ${version} with its data in ${dataDirectory}`)
    output.note('Ctrl-C stops it; the data stay.')
    await untilInterrupted()
  } finally {
    await server.stop()
  }
  return EXIT.fine
}
