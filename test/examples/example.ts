import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDER = join(ROOT, 'examples')

/** An example's folder and what is in it. */
export interface Example {
  readonly name: string
  readonly folder: string
  readonly files: readonly string[]
}

/** How a service answered. */
export interface Answer {
  readonly status: number | undefined
  readonly body: string
}

/** A service of an example that is running. */
export interface Service extends AsyncDisposable {
  /** Asks for a path below the host of a tenant; with a body it is a POST of JSON. */
  ask(slug: string, path: string, body?: unknown): Promise<Answer>
}

/** All examples of the repository. */
export function examples(): readonly Example[] {
  return readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const folder = join(FOLDER, name)
      return { name, folder, files: readdirSync(folder) }
    })
}

/** Runs an example to its end by the command of its README. */
export async function runExample(name: string): Promise<{ code: number | null; output: string }> {
  const child = start(name)
  const [output, errors] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    closed(child),
  ])
  return { code: child.exitCode, output: output + errors }
}

/** Starts the service of an example by the command of its README, on a free port. */
export async function startService(name: string): Promise<Service> {
  const child = start(name)
  const ended = closed(child)
  const errors = text(child.stderr)
  const port = await Promise.race([
    portIn(child.stdout),
    ended.then(async () => Promise.reject(new Error(`It ended: ${await errors}`))),
  ])
  return {
    ask: (slug, path, body) => ask(port, slug, path, body),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

function start(name: string): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, ['--import', 'tsx', `examples/${name}/main.ts`], {
    cwd: ROOT,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function closed(child: ChildProcessByStdio<null, Readable, Readable>): Promise<void> {
  await once(child, 'close')
}

/** The port in the addresses that a service tells when it listens. */
async function portIn(stdout: Readable): Promise<number> {
  let said = ''
  for await (const part of stdout) {
    said += String(part)
    const port = /localhost:(\d+)/.exec(said)?.[1]
    if (port !== undefined) {
      stdout.resume()
      return Number(port)
    }
  }
  throw new Error(`It told no address: ${said}`)
}

async function ask(port: number, slug: string, path: string, body?: unknown): Promise<Answer> {
  // Not every resolver knows the names below localhost, so the host is told by the header alone.
  const headers = { host: `${slug}.localhost:${port}`, 'content-type': 'application/json' }
  const method = body === undefined ? 'GET' : 'POST'
  const call = request({ host: 'localhost', port, path, method, headers, agent: false })
  call.end(body === undefined ? undefined : JSON.stringify(body))
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    call.once('response', resolve).once('error', reject)
  })
  return { status: response.statusCode, body: await text(response) }
}
