import type { Command } from 'commander'
import { loadConfig } from '../config.js'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption } from '../flags.js'
import { migrationFolder } from '../migration-folder.js'
import { nextMigration, writeMigration } from '../new-migration.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import type { ConnectionFlags } from '../router.js'

/** `tenantry new` */
export const defineNew: Define = (program, settle) => {
  program
    .command('new')
    .description('write the next migration of a set, with its reverse; overwrites nothing')
    .argument('<set>', 'shared, static or tenants, or the name of a static schema')
    .argument('<name>', 'what the migration does, for example "add fees"')
    .addOption(jsonOption())
    .action(async (set: string, name: string, _flags, command: Command) =>
      settle(await newMigration(set, name, command.optsWithGlobals())),
    )
}

/** Flags of `tenantry new`. */
export interface NewFlags extends Pick<ConnectionFlags, 'config'>, OutputFlags {}

/** Writes the next migration of a set and its reverse; needs no database. */
async function newMigration(set: string, name: string, flags: NewFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  const { config } = await loadConfig(flags.config)
  const folder = await migrationFolder(config.schemas ?? {}, set)
  const files = await nextMigration(folder, name)
  await writeMigration(files)
  for (const { path } of [files.up, files.down]) {
    output.tell(`${output.colors.green('written')}  ${path}`)
  }
  if (flags.json) printJson(output, { file: files.up.path, down: files.down.path })
  return EXIT.fine
}
