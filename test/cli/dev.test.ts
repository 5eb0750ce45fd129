import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmod } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { buildBinary, type Call, callBinary, startBinary } from './binary.js'
import { temporaryFolder } from './project.js'

beforeAll(buildBinary)

/** Makes a folder that the server's account can get at where the tests run as root. */
async function openFolder(): Promise<string> {
  const folder = await temporaryFolder()
  await chmod(folder, 0o755)
  return folder
}

/** Starts `tenantry dev` and resolves with it and the URL that it prints. */
async function startDev(cwd: string): Promise<{ readonly call: Call; readonly url: string }> {
  const call = startBinary(['dev'], { cwd })
  onTestFinished(() => void call.kill('SIGKILL'))
  call.stderr.resume()
  for await (const line of createInterface({ input: call.stdout })) {
    const url = /^DATABASE_URL=(postgres:\/\/.+)$/.exec(line)?.[1]
    if (url !== undefined) return { call, url }
  }
  throw new Error('The server did not start.')
}

async function ask(url: string): Promise<{ readonly data: string }> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ data: string }>(
      "select current_setting('data_directory') as data",
    )
    return rows[0] ?? { data: '' }
  } finally {
    await client.end()
  }
}

/** The processes that name a server's data in their arguments. */
async function processesOf(data: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'args='])
  return stdout.split('\n').filter((line) => line.includes(data))
}

describe('tenantry dev', () => {
  it('runs a server that others can use, until SIGTERM, and leaves no process', async () => {
    const folder = await openFolder()
    const { call, url } = await startDev(folder)
    const { data } = await ask(url)
    expect(await processesOf(data)).not.toEqual([])

    const second = await callBinary(['dev'], { cwd: folder })
    expect(second).toMatchObject({ code: 0, stdout: `DATABASE_URL=${url}\n` })
    expect(second.stderr).toContain('running already')
    const third = await callBinary(['dev', '--json'], { cwd: folder })
    expect(JSON.parse(third.stdout)).toMatchObject({
      url,
      dataDirectory: dirname(data),
      reused: true,
    })
    expect(await ask(url)).toEqual({ data })

    const exited = once(call, 'exit')
    call.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
    await expect(ask(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(await processesOf(data)).toEqual([])
  })

  it('keeps its data, which the other commands use where no database is named', async () => {
    const folder = await openFolder()
    await callBinary(['init', '--yes'], { cwd: folder })
    const migrated = await callBinary(['migrate'], { cwd: folder })
    expect(migrated.code).toBe(0)
    expect(migrated.stdout).toContain('2 schemas: 2 migrated')
    const url = /postgres:\/\/\S+/.exec(migrated.stderr)?.[0] ?? ''
    expect(url).toMatch(/:\*\*\*@127\.0\.0\.1:\d+/)
    await expect(ask(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' })

    const status = await callBinary(['status'], { cwd: folder })
    expect(status.code).toBe(0)
    expect(status.stdout).toContain('2 schemas: 2 current')
  })
})
