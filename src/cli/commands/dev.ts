import { dirname } from 'node:path'
import { findConfig } from '../config.js'
import { startProjectServer } from '../embedded-server.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { untilInterrupted } from '../interrupt.js'
import { openOutput } from '../output.js'
import type { ConnectionFlags } from '../router.js'

/** Runs the project's own PostgreSQL until the process is asked to end. */
export async function dev({ config }: ConnectionFlags): Promise<ExitCode> {
  const output = openOutput({})
  const file = config ?? (await findConfig(process.cwd()))
  const folder = file === undefined ? process.cwd() : dirname(file)
  const server = await startProjectServer(folder)
  try {
    output.print(`DATABASE_URL=${server.url}`)
    if (server.reused) {
      output.note(`PostgreSQL ${server.version} is running already; it ends where it was started.`)
      return EXIT.fine
    }
    output.note(`PostgreSQL ${server.version} with its data in ${server.dataDirectory}`)
    output.note('Ctrl-C stops it; the data stay.')
    await untilInterrupted()
  } finally {
    await server.stop()
  }
  return EXIT.fine
}
