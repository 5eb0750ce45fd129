import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The way of PostgreSQL's own programs, with their defaults. */
export interface ClientPrograms {
  dump(file: string): Promise<void>
  load(file: string): Promise<void>
  pipe(): Promise<void>
  /** Takes away what was loaded. */
  drop(): Promise<void>
}

/** Commands that copy one schema from the first database into the second. */
export function clientPrograms({
  urls: [from, to],
  schema,
}: {
  readonly urls: readonly [string, string]
  readonly schema: string
}): ClientPrograms {
  const dump = `pg_dump -Fc -n ${schema} -d '${from}'`
  const load = `pg_restore --exit-on-error --single-transaction -d '${to}'`
  return {
    dump: (file) => shell(`${dump} -f ${file}`),
    load: (file) => shell(`${load} ${file}`),
    pipe: () => shell(`${dump} | ${load}`),
    drop: () =>
      shell(
        `psql -q -d '${to}' -c 'set client_min_messages = error; drop schema ${schema} cascade'`,
      ),
  }
}

async function shell(command: string): Promise<void> {
  await run('bash', ['-o', 'pipefail', '-c', command])
}
