import type { Command } from 'commander'
import type { ExitCode } from './exit-code.js'

/** Hears with which exit code a command ended. */
export type Settle = (code: ExitCode) => void

/** Adds one command, with its flags and what it does, to the program or to a group of commands. */
export type Define = (parent: Command, settle: Settle) => void
