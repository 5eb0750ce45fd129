import { expect } from 'vitest'
import type { TestDatabase } from '../support/database.js'
import type { Project } from './project.js'
import { type TerminalCall, startInTerminal } from './terminal.js'

const GATE = 4711

/** Waits in a schema for as long as a test keeps the gate closed. */
export const WAIT_AT_GATE: string = `select pg_advisory_xact_lock_shared(${GATE});`

/** Keeps the gate closed while `fn` runs, or until it opens it. */
export async function whileClosed<R>(
  database: TestDatabase,
  fn: (open: () => Promise<void>) => Promise<R>,
): Promise<R> {
  const client = await database.admin.connect()
  const open = async (): Promise<void> => {
    await client.query('select pg_advisory_unlock_all()')
  }
  try {
    await client.query(`select pg_advisory_lock(${GATE})`)
    return await fn(open)
  } finally {
    await open()
    client.release()
  }
}

/** Calls the binary in a pseudo-terminal, in a project's folder. */
export function callIn(
  database: TestDatabase,
  { folder }: Project,
  args: readonly string[],
): TerminalCall {
  return startInTerminal(args, { cwd: folder, env: { DATABASE_URL: database.url } })
}

/** Waits until a text stands in the terminal. */
export function untilShown(call: TerminalCall, text: string | RegExp): Promise<void> {
  const shown = async (): Promise<string> => (await call.lines()).join('\n')
  return expect.poll(shown, { timeout: 30_000 }).toMatch(text)
}
