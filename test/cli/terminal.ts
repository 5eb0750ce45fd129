import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import xterm from '@xterm/headless'
import { BINARY, type CallOptions } from './binary.js'

const SCRIPT = '/usr/bin/script'
const COLUMNS = 120
const ROWS = 40

/** Whether this machine can open a pseudo-terminal; `script` is part of util-linux. */
export const HAS_TERMINAL: boolean = process.platform === 'linux' && existsSync(SCRIPT)

/** The keys that do not stand for a letter. */
export const KEY = { enter: '\r', down: '\u001B[B', interrupt: '\u0003' } as const

/** A call of the binary in a terminal: a screen and a keyboard. */
export interface TerminalCall {
  /** Hears what the binary writes, as it is. */
  onOutput(listener: (text: string) => void): void
  /** The lines that stand in the terminal, those above its screen among them. */
  lines(): Promise<readonly string[]>
  press(keys: string): void
  readonly ended: Promise<number | null>
}

/** Calls the binary in a pseudo-terminal, and draws what it writes as a terminal does. */
export function startInTerminal(args: readonly string[], { cwd, env }: CallOptions): TerminalCall {
  const terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true })
  const words = [process.execPath, BINARY, ...args].map((word) => `'${word}'`).join(' ')
  // A pseudo-terminal has no size of its own, and nothing is shown where there is no room.
  const command = `stty cols ${COLUMNS} rows ${ROWS}; exec ${words}`
  const child = spawn(SCRIPT, ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd,
    env: { ...process.env, CI: undefined, DEBUG: undefined, DATABASE_URL: undefined, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdout.setEncoding('utf8').on('data', (text: string) => terminal.write(text))
  return {
    onOutput: (listener) => void child.stdout.on('data', listener),
    lines: () => linesOf(terminal),
    press: (keys) => void child.stdin.write(keys),
    ended: new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    }),
  }
}

async function linesOf(terminal: xterm.Terminal): Promise<readonly string[]> {
  // What came before is drawn by then.
  await new Promise<void>((resolve) => terminal.write('', resolve))
  const { active } = terminal.buffer
  const lines = Array.from(
    { length: active.length },
    (_, at) => active.getLine(at)?.translateToString(true) ?? '',
  )
  return lines.filter((line) => line !== '')
}

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

/** Calls the binary in a pseudo-terminal as a person would, who reads and then types. */
export async function callInTerminal(
  args: readonly string[],
  typed: readonly Typed[],
  options: CallOptions,
): Promise<TerminalResult> {
  const call = startInTerminal(args, options)
  const waiting = [...typed]
  let screen = ''
  let seen = 0
  call.onOutput((text) => {
    screen += text
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const at = screen.indexOf(next.after, seen)
      if (at < 0) break
      seen = at + next.after.length
      waiting.shift()
      call.press(next.keys)
    }
  })
  return { code: await call.ended, screen }
}
