import type { Argument, Command, Option } from 'commander'
import { format, resolveConfig } from 'prettier'
import { SHORT_FLAGS } from '../../src/cli/arguments.js'
import { type CommandNode, commandTree, flatten, shownOptions } from '../../src/cli/command-tree.js'
import { selecting } from '../../src/cli/flags.js'
import { buildProgram } from '../../src/cli/program.js'

const HEAD = `# The command line

This page is made from the definitions of the commands by \`npm run docs:cli\`; a test holds it current.

Every command writes its result to stdout and everything else to stderr. With \`--json\`, stdout carries one
JSON document and nothing else. Passwords appear nowhere.

| exit code | what it says |
| --- | --- |
| 0 | all is well |
| 1 | something failed |
| 2 | the command was used wrongly; nothing was done |
| 3 | something is to be migrated, or a schema differs from its migrations |
| 4 | others held the locks that it waited for; try again |
`

const SELECTING = `## Which schemas

The commands over many schemas share these flags; see [Selectors](selectors.md). Flags that name schemas unite,
and conditions narrow.

Without any, \`migrate\` takes all schemas, and so do the commands that report on them and that scripts call for
all: \`plan\`, \`status\` and \`verify\`. \`rollback\` takes all after a question. Every other command asks on a
terminal which schemas are meant, and ends with 2 where nobody can answer. \`whowill\` is one of those, because
its answer is what \`run\` and \`exec\` would do with the same flags.
`

const PROGRAMS = `## Programs inside of a schema

\`tenantry exec -ds -- psql -c 'select count(*) from loans'\` runs a program once per selected schema, one after
the other or \`--parallel\`; each line then begins with the name of its schema. A program that ends with another
code than 0 is the failure of its schema. One at a time has the terminal for itself; what runs with
\`--parallel\` is drawn as \`migrate\` is, its lines above. Ctrl-C is passed on to it, and no further schema is begun.

| variable | what the program finds in it |
| --- | --- |
| \`DATABASE_URL\` | the database, with the schema's \`search_path\` in \`options\` |
| \`PGOPTIONS\` | the same path, for clients of libpq |
| \`PGHOST\` and its like | the database again, for programs that are given no URL |
| \`TENANT_SCHEMA\` | the name of the schema |
| \`TENANT_SLUG\` | the slug of its tenant; empty for the shared schema and static ones |

Prisma sets a path of its own, from \`schema\` in the URL, which other clients refuse. A program called
\`prisma\`, also one behind \`npx\`, gets that form; \`--prisma\` gives it to scripts that use Prisma's client. PgBouncer refuses
\`options\` unless its \`ignore_startup_parameters\` or \`track_extra_parameters\` know them, so connect \`exec\` to
the server itself.

A script for \`tenantry run seed.ts -ds\` exports a function. It gets a client for the schema, in a
transaction, and is told where it is; what it returns is printed.

\`\`\`ts
import type { ScopedClient } from 'tenantry'

export default async (db: ScopedClient, { schema }: { schema: string }): Promise<string> => {
  const { rowCount } = await db.query('update loans set amount = 0 where amount is null')
  return \`\${rowCount ?? 0} loans of \${schema} had no amount\`
}
\`\`\`
`

/** The page on the command line, as it has to be in `docs/cli.md`. */
export async function cliPage(): Promise<string> {
  const root = commandTree(buildProgram(() => {}))
  const shared = new Set(selectionFlags().map(({ long }) => long))
  const leaves = flatten(root).filter(({ children }) => children.length === 0)
  const text = [
    HEAD,
    '## For all commands',
    optionTable(shownOptions(root)),
    SELECTING,
    optionTable(selectionFlags().filter(({ hidden }) => !hidden)),
    '## Commands',
    ...leaves.map((node) => section(node, shared)),
    PROGRAMS,
  ]
  const style = await resolveConfig(import.meta.filename)
  return format(text.join('\n\n'), { ...style, parser: 'markdown' })
}

/** The definition of the flags is asked, so that the page cannot differ from it. */
function selectionFlags(): readonly Option[] {
  const [bare] = buildProgram(() => {}).commands
  if (bare === undefined) throw new TypeError('The program has no commands.')
  return selecting(bare.createCommand('none')).options
}

function section(node: CommandNode, shared: ReadonlySet<string | undefined>): string {
  const { path, aliases, command } = node
  const options = shownOptions(node)
  const own = options.filter(({ long }) => !shared.has(long))
  const selects = own.length < options.length
  return [
    `### tenantry ${path.join(' ')}`,
    `\`\`\`text\ntenantry ${path.join(' ')} ${command.usage()}\n\`\`\``,
    sentence(command, aliases, selects),
    argumentTable(command.registeredArguments),
    optionTable(own),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function sentence(command: Command, aliases: readonly string[], selects: boolean): string {
  const [first = '', ...rest] = command.description()
  const also = aliases.map((alias) => ` Also called \`${alias}\`.`).join('')
  const flags = selects ? ' Takes the flags that say [which schemas](#which-schemas).' : ''
  return `${first.toUpperCase()}${rest.join('')}.${also}${flags}`
}

function argumentTable(args: readonly Argument[]): string {
  const rows = args.map((each) => [
    `\`${each.name()}\``,
    choices(each.description, each.argChoices),
  ])
  return table(['argument', 'what it is'], rows)
}

function optionTable(options: readonly Option[]): string {
  const rows = options.map((option) => [
    `${shortOf(option)}\`${option.flags}\``,
    choices(option.description, option.argChoices),
  ])
  return table(['flag', 'what it does'], rows)
}

function shortOf({ long }: Option): string {
  const [short] = [...SHORT_FLAGS].filter(([, spelled]) => spelled === long).map(([flag]) => flag)
  return short === undefined ? '' : `\`${short}\`, `
}

function choices(description: string, allowed: readonly string[] | undefined): string {
  const text = description.replace(/; short: -\w+$/, '')
  return allowed === undefined ? text : `${text}: ${allowed.join(', ')}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
