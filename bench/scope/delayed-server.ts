import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A server behind a simulated network. */
export interface DelayedServer extends Disposable {
  readonly url: string
}

const PROXY = fileURLToPath(new URL('delay-proxy.ts', import.meta.url))

/** Puts a proxy that delays each request in front of a server. */
export async function delayServer(url: string, milliseconds: number): Promise<DelayedServer> {
  const target = new URL(url)
  const args = ['--import', 'tsx', PROXY, target.hostname, target.port, String(milliseconds)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port]: unknown[] = await once(createInterface({ input: child.stdout }), 'line')
  const delayed = new URL(url)
  delayed.host = `127.0.0.1:${String(port)}`
  return { url: delayed.href, [Symbol.dispose]: () => void child.kill() }
}
