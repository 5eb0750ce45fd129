/**
 * Program of the keeper, run with `node -e`: a string, so that no bundler or loader can change it.
 *
 * It reads one JSON message a line from its stdin: `{ own }` names a path to remove at the end,
 * `{ id, command, … }` starts a process. It answers with `{ id, pid }`, `{ id, line }` and
 * `{ id, ended }`. When its stdin closes, for whatever reason, it stops its processes and removes
 * its paths. Each process leads its own group, so that a helper of `initdb` is reached as well.
 */
export const KEEPER_SCRIPT = `
'use strict'
const { spawn } = require('node:child_process')
const { rmSync } = require('node:fs')
const { Socket } = require('node:net')
const { createInterface } = require('node:readline')
const { setTimeout: sleep } = require('node:timers/promises')

const PATIENCE = [[5000, 'SIGQUIT'], [10000, 'SIGKILL']]
const UNREAD_LIMIT = 1000000
const owned = []
const running = new Set()
let closing = false

// process.stdout would block on a caller that does not read, and the server's log with it.
const out = new Socket({ fd: 1, readable: false, writable: true })
out.on('error', () => {})
const say = (message) => out.write(JSON.stringify(message) + '\\n')
const sayLine = (id, line) => { if (out.writableLength < UNREAD_LIMIT) say({ id, line }) }

const signal = (child, name) => {
  try { process.kill(-child.pid, name) } catch { child.kill(name) }
}
const groupIsGone = (child) => {
  try { process.kill(-child.pid, 0); return false } catch { return true }
}

function run({ id, command, args, options }) {
  let child
  const fixed = { detached: true, windowsHide: true, stdio: ['ignore', 'pipe', 'pipe'] }
  try {
    child = spawn(command, args, { ...options, ...fixed })
  } catch (error) {
    return say({ id, ended: error.message })
  }
  child.closed = new Promise((resolve) => child.once('close', resolve))
  child.once('error', (error) => { child.failure = error.message })
  child.once('close', (code, name) => {
    running.delete(child)
    say({ id, ended: child.failure ?? (name ? 'signal ' + name : 'exit code ' + code) })
  })
  running.add(child)
  say({ id, pid: child.pid })
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (line) => sayLine(id, line))
}

async function end(child) {
  signal(child, 'SIGINT')
  const timers = PATIENCE.map(([ms, name]) => setTimeout(() => signal(child, name), ms))
  await child.closed
  for (const timer of timers) clearTimeout(timer)
  for (let turn = 0; turn < 200 && !groupIsGone(child); turn += 1) await sleep(10)
}

async function close() {
  if (closing) return
  closing = true
  await Promise.all([...running].map(end))
  for (const path of owned)
    try { rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }) } catch {}
  process.stdin.destroy()
  out.end()
}

function receive(text) {
  let message
  // A caller that dies while it writes leaves half a line.
  try { message = JSON.parse(text) } catch { return }
  if (message.own) owned.push(message.own)
  else if (!closing) run(message)
}

process.stdin.on('error', close)
createInterface({ input: process.stdin }).on('line', receive).on('close', close)
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(name, close)
process.on('uncaughtException', close)
`
