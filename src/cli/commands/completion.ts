import { Argument } from 'commander'
import { bashCompletion } from '../completion/bash.js'
import { fishCompletion } from '../completion/fish.js'
import { zshCompletion } from '../completion/zsh.js'
import { type CommandNode, commandTree } from '../command-tree.js'
import type { Define } from '../definition.js'
import { EXIT } from '../exit-code.js'
import { openOutput } from '../output.js'

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const

type Shell = keyof typeof SHELLS

/** `tenantry completion` */
export const defineCompletion: Define = (program, settle) => {
  program
    .command('completion')
    .description('write what a shell reads to complete commands and flags')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(SHELLS)))
    .action((shell: Shell) => {
      openOutput({}).print(scriptFor(shell, commandTree(program)).trimEnd())
      settle(EXIT.fine)
    })
}

function scriptFor(shell: Shell, root: CommandNode): string {
  return SHELLS[shell](root)
}
