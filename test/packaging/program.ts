import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** What a program wrote before it ended well. */
export interface ProgramOutput {
  readonly stdout: string
  readonly stderr: string
}

/** How a program is run. */
export interface ProgramOptions {
  readonly cwd: string
  /** Variables that differ from those of the test run. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Runs a program; rejects with what it wrote when it does not end well. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env }: ProgramOptions,
): Promise<ProgramOutput> {
  const variables = { ...process.env, DEBUG: undefined, DATABASE_URL: undefined, ...env }
  try {
    return await promisify(execFile)(program, args, { cwd, env: variables })
  } catch (error) {
    if (!hasOutput(error)) throw error
    const written = `${error.stdout}${error.stderr}`
    throw new Error(`${program} ${args.join(' ')} failed:\n${written}`, { cause: error })
  }
}

function hasOutput(error: unknown): error is ProgramOutput {
  return typeof error === 'object' && error !== null && 'stdout' in error && 'stderr' in error
}
