import { inject } from 'vitest'
import { runProgram } from './program.js'

/** Runs a script of the consumer's project by Node and gives back what it prints, as JSON. */
export async function runScript(
  script: string,
  env: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const cwd = inject('consumerFolder')
  const { stdout } = await runProgram(process.execPath, [script], { cwd, env })
  return JSON.parse(stdout)
}
