import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { CallOptions } from './binary.js'

const SCRIPT = '/usr/bin/script'
const BINARY = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

/** Whether this machine can open a pseudo-terminal; `script` is part of util-linux. */
export const HAS_TERMINAL: boolean = process.platform === 'linux' && existsSync(SCRIPT)

/** What somebody types, as soon as the screen shows what it waits for. */
export interface Typed {
  readonly after: string
  readonly keys: string
}

/** What a call in a terminal came to. */
export interface TerminalResult {
  readonly code: number | null
  readonly screen: string
}

/** The keys that do not stand for a letter. */
export const KEY = { enter: '\r', down: '\u001B[B', interrupt: '\u0003' } as const

/** Calls the binary in a pseudo-terminal as a person would, who reads and then types. */
export async function callInTerminal(
  args: readonly string[],
  typed: readonly Typed[],
  { cwd, env }: CallOptions,
): Promise<TerminalResult> {
  const words = [process.execPath, BINARY, ...args].map((word) => `'${word}'`).join(' ')
  // A pseudo-terminal has no size of its own, and nothing is shown where there is no room.
  const command = `stty cols 120 rows 40; exec ${words}`
  const child = spawn(SCRIPT, ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd,
    env: { ...process.env, DEBUG: undefined, DATABASE_URL: undefined, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const waiting = [...typed]
  let screen = ''
  let seen = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const at = screen.indexOf(next.after, seen)
      if (at < 0) break
      seen = at + next.after.length
      waiting.shift()
      child.stdin.write(next.keys)
    }
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { code, screen }
}
