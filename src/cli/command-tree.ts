import type { Command, Option } from 'commander'
import { SHORT_FLAGS } from './arguments.js'

/** One command of the program, as it is documented and completed. */
export interface CommandNode {
  /** The words that lead to it; empty for the program itself. */
  readonly path: readonly string[]
  readonly aliases: readonly string[]
  readonly command: Command
  readonly children: readonly CommandNode[]
}

/** A word that may stand at some place of a command line. */
export interface Word {
  readonly text: string
  readonly description: string
}

/** The commands below a command, and itself. */
export function commandTree(command: Command, path: readonly string[] = []): CommandNode {
  const children = command.commands.map((child) => commandTree(child, [...path, child.name()]))
  return { path, aliases: command.aliases(), command, children }
}

/** All commands of a tree, each before those below it. */
export function flatten(node: CommandNode): readonly CommandNode[] {
  return [node, ...node.children.flatMap(flatten)]
}

/** The options that the help of a command shows. */
export function shownOptions({ command }: CommandNode): readonly Option[] {
  return command.options.filter(({ hidden }) => !hidden)
}

/** What may follow a command: those below it, and its flags in all spellings. */
function wordsAfter(node: CommandNode): readonly Word[] {
  const commands = node.children.flatMap(({ aliases, command }) =>
    [command.name(), ...aliases].map((text) => ({ text, description: command.description() })),
  )
  const flags = node.command.options.flatMap((option) => {
    const spellings = [option.long, option.short, shortOf(option.long)]
    const texts = spellings.filter((text) => typeof text === 'string')
    return texts.map((text) => ({ text, description: option.description }))
  })
  return [...commands, ...flags, { text: '--help', description: 'show the help of the command' }]
}

function shortOf(long: string | undefined): string | undefined {
  return [...SHORT_FLAGS].find(([, spelled]) => spelled === long)?.[0]
}

/** Each place of a command line, by the words before it, with what may follow there. */
export function places(root: CommandNode): readonly (readonly [string, readonly Word[]])[] {
  return flatten(root).flatMap((node) => {
    const { path, aliases } = node
    const names = path.length === 0 ? [''] : [path.at(-1) ?? '', ...aliases]
    const before = path.slice(0, -1)
    return names.map((name) => [[...before, name].join(' '), wordsAfter(node)] as const)
  })
}
