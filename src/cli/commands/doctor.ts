import type { Command } from 'commander'
import type { Define } from '../definition.js'
import { examine } from '../doctor/examine.js'
import type { DoctorFinding } from '../doctor/finding.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption } from '../flags.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { doctorLines } from '../render/doctor.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** `tenantry doctor` */
export const defineDoctor: Define = (program, settle) => {
  program
    .command('doctor')
    .description('look at the server, the rights and all schemas, and say what to do')
    .option('--no-drift', 'do not compare schemas with their migrations, which takes longest')
    .addOption(jsonOption())
    .action(async (_flags, command: Command) => settle(await doctor(command.optsWithGlobals())))
}

/** Flags of `tenantry doctor`. */
export interface DoctorFlags extends ConnectionFlags, OutputFlags {
  readonly drift: boolean
}

/** Looks at everything that experience says goes wrong. */
async function doctor(flags: DoctorFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  const { drift } = flags
  return withRouter(flags, { output }, async (router, database) => {
    const findings = await examine({ router, database, drift })
    for (const line of doctorLines(findings, output.colors)) output.tell(line)
    if (flags.json) printJson(output, findings)
    return exitCode(findings)
  })
}

function exitCode(findings: readonly DoctorFinding[]): ExitCode {
  const has = (level: DoctorFinding['level']): boolean =>
    findings.some((finding) => finding.level === level)
  if (has('error')) return EXIT.failed
  if (has('locked')) return EXIT.locked
  return has('drift') ? EXIT.pending : EXIT.fine
}
