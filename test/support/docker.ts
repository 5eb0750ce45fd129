import { request, type RequestOptions } from 'node:http'

const PATIENCE_MS = 1_000

/** Tells whether a Docker daemon really answers: a socket or a variable alone does not mean one. */
export async function dockerAnswers(): Promise<boolean> {
  const target = pingTarget(process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock')
  if (target === undefined) return false
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const ping = request({ ...target, path: '/_ping', signal }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    ping.on('error', () => resolve(false))
    ping.end()
  })
}

function pingTarget(host: string): RequestOptions | undefined {
  const socketPath = /^unix:\/\/(.+)$/.exec(host)?.[1]
  if (socketPath !== undefined) return { socketPath }
  if (!URL.canParse(host)) return undefined
  const { hostname, port } = new URL(host)
  return { host: hostname, port: port === '' ? 2375 : port }
}
