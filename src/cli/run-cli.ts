import { type Command, CommanderError } from 'commander'
import { normaliseArguments } from './arguments.js'
import { EXIT, type ExitCode, exitCodeOf } from './exit-code.js'
import { colorsOf } from './output.js'
import { buildProgram } from './program.js'
import { errorDetails, errorLine } from './render/error.js'

/** Runs one command line and resolves with its exit code; what went wrong is on stderr. */
export async function runCli(argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.fine
  const program = buildProgram((code) => {
    exitCode = code
  })
  try {
    const takers = valueFlags(program)
    const spelled = normaliseArguments(argv, (flag) => takers.has(flag))
    await program.parseAsync(spelled, { from: 'user' })
    return exitCode
  } catch (error) {
    reportError(error)
    return exitCodeOf(error)
  }
}

function reportError(error: unknown): void {
  // Help and version have been written by commander itself.
  if (error instanceof CommanderError && /^commander\.(help|version)/.test(error.code)) return
  const { red } = colorsOf(process.stderr)
  process.stderr.write(`${red(errorLine(error))}\n`)
  if (process.env['DEBUG']) process.stderr.write(`${errorDetails(error)}\n`)
}

/** The flags of all commands that must be followed by a value. */
function valueFlags(program: Command): ReadonlySet<string> {
  const commands = [program, ...program.commands.flatMap((each) => [each, ...each.commands])]
  const takers = commands.flatMap(({ options }) => options.filter(({ required }) => required))
  return new Set(takers.flatMap(({ short, long }) => [short, long].filter(isText)))
}

function isText(input: string | undefined): input is string {
  return input !== undefined
}
