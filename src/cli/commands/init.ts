import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { findConfig } from '../config.js'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { namesIn } from '../files.js'
import { jsonOption } from '../flags.js'
import { type Output, type OutputFlags, openOutput, printJson } from '../output.js'
import { STARTER_CONFIG, STARTER_SETS, type StarterFile } from '../starter-project.js'

/** `tenantry init` */
export const defineInit: Define = (program, settle) => {
  program
    .command('init')
    .description('write a configuration and first migrations here; overwrites nothing')
    .option('-y, --yes', 'do not ask')
    .addOption(jsonOption())
    .action(async (_flags, command: Command) => settle(await init(command.optsWithGlobals())))
}

/** Flags of `tenantry init`. */
export interface InitFlags extends OutputFlags {
  readonly yes?: boolean
}

interface Plan {
  readonly write: readonly StarterFile[]
  /** Why something is left as it is, by its path. */
  readonly left: readonly (readonly [path: string, reason: string])[]
}

/** Writes a configuration and first migrations into the working directory; overwrites nothing. */
async function init({ yes = false, json = false }: InitFlags): Promise<ExitCode> {
  const output = openOutput({ json })
  const folder = process.cwd()
  const { write, left } = await planFiles(folder)
  for (const [path, reason] of left) output.tell(`left     ${path} (${reason})`)
  const written = yes || (await confirm(write)) ? write : []
  for (const file of written) await writeNew(folder, file, output)
  if (write.length > 0) output.tell(written.length > 0 ? NEXT : 'Nothing was written.')
  if (json) printJson(output, { written: written.map(pathOf), left: left.map(([path]) => path) })
  return EXIT.fine
}

const NEXT = 'Next: tenantry migrate, then tenantry tenant create acme'

function pathOf({ path }: StarterFile): string {
  return path
}

async function planFiles(folder: string): Promise<Plan> {
  const found = await findConfig(folder)
  const hasConfig = found !== undefined && dirname(found) === folder
  const sets = await Promise.all(
    STARTER_SETS.map(async (set) => ({
      ...set,
      taken: (await namesIn(join(folder, set.folder))).length > 0,
    })),
  )
  const free = sets.filter(({ taken }) => !taken).flatMap(({ files }) => files)
  return {
    write: hasConfig ? free : [STARTER_CONFIG, ...free],
    left: [
      ...(hasConfig ? [[relative(folder, found), 'is there already'] as const] : []),
      // A second migration number 1 beside those that are there would break the set.
      ...sets.filter(({ taken }) => taken).map((set) => [set.folder, 'is not empty'] as const),
    ],
  }
}

/** Asks only a person: a script that runs `init` wants the files. */
async function confirm(files: readonly StarterFile[]): Promise<boolean> {
  if (files.length === 0 || !process.stdin.isTTY) return true
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const names = files.map(({ path }) => `  ${path}`).join('\n')
    const answer = await terminal.question(`${names}\nWrite these files? [Y/n] `)
    return /^(y|yes|)$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}

async function writeNew(
  folder: string,
  { path, text }: StarterFile,
  output: Output,
): Promise<void> {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true })
  // The flag refuses a file that appeared since it was looked for.
  await writeFile(file, text, { flag: 'wx' })
  output.tell(`${output.colors.green('written')}  ${path}`)
}
