import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { access, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { startEmbeddedPostgres, type EmbeddedPostgres } from 'tenantry/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withClient } from '../support/database-url.js'
import {
  killGroup,
  lineOf,
  remains,
  spawnStarter,
  withFolder,
} from '../support/embedded-fixture.js'

const STARTED = /^\{"url"/
const PATIENCE = { timeout: 15_000, interval: 50 }

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

const postmasterPid = async (dataDirectory: string): Promise<number> =>
  Number((await readFile(join(dataDirectory, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0])

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const insert = (url: string): Promise<unknown> =>
  withClient(url, (client) => client.query('create table note as select 7 as n'))

const read = (url: string): Promise<unknown> =>
  withClient(url, async (client) => (await client.query('select n from note')).rows)

describe('startEmbeddedPostgres', () => {
  const lines: string[] = []
  let shared: EmbeddedPostgres

  beforeAll(async () => {
    const settings = { max_connections: '17' }
    shared = await startEmbeddedPostgres({ settings, onLog: (line) => lines.push(line) })
  })
  afterAll(() => shared.stop())

  it('starts a server that answers with the version it reports', async () => {
    const { rows } = await withClient(shared.url, (client) => client.query('select version()'))
    expect(rows[0].version).toContain(`PostgreSQL ${shared.version} `)
    expect(shared.reused).toBe(false)
  })

  it('passes settings on to the server', async () => {
    const { rows } = await withClient(shared.url, (client) => client.query('show max_connections'))
    expect(rows).toEqual([{ max_connections: '17' }])
  })

  it('hands the lines of the logs to onLog', () => {
    expect(lines.join('\n')).toContain('ready to accept connections')
  })

  it('refuses a connection without the password', async () => {
    const url = new URL(shared.url)
    url.password = 'guess'
    const attempt = withClient(url.href, (client) => client.query('select 1'))
    await expect(attempt).rejects.toMatchObject({ code: '28P01' })
  })

  it('gives two servers at once their own ports and directories', async () => {
    const servers = await Promise.all([startEmbeddedPostgres(), startEmbeddedPostgres()])
    await Promise.all(servers.map((each) => each.stop()))
    expect(new Set(servers.map(({ url }) => new URL(url).port)).size).toBe(2)
    expect(new Set(servers.map(({ dataDirectory }) => dataDirectory)).size).toBe(2)
  })

  it('leaves no process and no directory after stop', async () => {
    const server = await startEmbeddedPostgres()
    const pid = await postmasterPid(server.dataDirectory)
    await server.stop()
    expect(isAlive(pid)).toBe(false)
    expect(await exists(server.dataDirectory)).toBe(false)
  })

  it('may be stopped twice', async () => {
    const server = await startEmbeddedPostgres()
    await server.stop()
    await expect(server.stop()).resolves.toBeUndefined()
  })

  it('says what is wrong when the server refuses a setting', async () => {
    await withFolder(async (folder) => {
      const start = startEmbeddedPostgres({ dataDirectory: folder, settings: { nonsense: '1' } })
      await expect(start).rejects.toMatchObject({
        code: 'EMBEDDED_POSTGRES_FAILED',
        message: expect.stringContaining('unrecognized configuration parameter "nonsense"'),
        log: expect.stringContaining('nonsense'),
      })
    })
  })

  it('says that the port asked for is in use', async () => {
    const blocker = createServer().listen(0, '127.0.0.1')
    await once(blocker, 'listening')
    const address = blocker.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const start = startEmbeddedPostgres({ port })
    await expect(start).rejects.toMatchObject({
      message: `Port ${port} is in use. Leave out the option "port" to get a free one.`,
    })
    blocker.close()
  })

  it('gives up when its signal aborts', async () => {
    const controller = new AbortController()
    const onLog = (): void => controller.abort(new Error('enough'))
    const start = startEmbeddedPostgres({ signal: controller.signal, onLog })
    await expect(start).rejects.toThrow('enough')
  })
})

// PostgreSQL respects a living process of its own account only.
const spawnAsOwner = async (data: string): Promise<ChildProcess> => {
  const { uid, gid } = await stat(data)
  const child = spawn('sleep', ['60'], process.getuid?.() === 0 ? { uid, gid } : {})
  await once(child, 'spawn')
  return child
}

describe('a server whose process ends without stop', () => {
  it('is gone after kill -9', async () => {
    await withFolder(async (folder) => {
      const child = spawnStarter(folder, ['hold'])
      await lineOf(child, STARTED)
      expect(await remains(folder)).not.toEqual([])
      await killGroup(child, 'SIGKILL')
      await expect.poll(() => remains(folder), PATIENCE).toEqual([])
    })
  })

  it('is gone after kill -9 in the middle of initdb', async () => {
    await withFolder(async (folder) => {
      const child = spawnStarter(folder, ['hold'])
      await lineOf(child, /creating subdirectories/)
      await killGroup(child, 'SIGKILL')
      await expect.poll(() => remains(folder), PATIENCE).toEqual([])
    })
  })

  it('is gone after an interrupt from the terminal', async () => {
    await withFolder(async (folder) => {
      const child = spawnStarter(folder, ['hold'])
      await lineOf(child, STARTED)
      await killGroup(child, 'SIGINT')
      await expect.poll(() => remains(folder), PATIENCE).toEqual([])
    })
  })

  it('does not keep a script alive that forgets to stop it', async () => {
    await withFolder(async (folder) => {
      const child = spawnStarter(folder, ['forget'])
      const exited = once(child, 'exit')
      await lineOf(child, STARTED)
      expect(await exited).toEqual([0, null])
      await expect.poll(() => remains(folder), PATIENCE).toEqual([])
    })
  })
})

describe('a persistent server', () => {
  it('keeps its data, its password and its port over a stop', async () => {
    await withFolder(async (folder) => {
      const first = await startEmbeddedPostgres({ dataDirectory: folder })
      await insert(first.url)
      await first.stop()
      await using second = await startEmbeddedPostgres({ dataDirectory: folder })
      expect(second.url).toBe(first.url)
      expect(await read(second.url)).toEqual([{ n: 7 }])
    })
  })

  it('keeps its password in a file that only its owner can read', async () => {
    await withFolder(async (folder) => {
      await using server = await startEmbeddedPostgres({ dataDirectory: folder })
      const file = join(server.dataDirectory, 'server.json')
      expect((await stat(file)).mode & 0o777).toBe(0o600)
      expect(await readFile(file, 'utf8')).toContain(new URL(server.url).password)
    })
  })

  it('is reused by a second start, and outlives that one', async () => {
    await withFolder(async (folder) => {
      await using first = await startEmbeddedPostgres({ dataDirectory: folder })
      await insert(first.url)
      const second = await startEmbeddedPostgres({ dataDirectory: folder })
      expect(second).toMatchObject({ url: first.url, reused: true })
      await second.stop()
      expect(await read(first.url)).toEqual([{ n: 7 }])
    })
  })

  it('is started by one and reused by the others of four that begin together', async () => {
    await withFolder(async (folder) => {
      const dataDirectory = join(folder, 'below', 'this')
      const starts = Array.from({ length: 4 }, () => startEmbeddedPostgres({ dataDirectory }))
      const servers = await Promise.all(starts)
      expect(servers.filter(({ reused }) => !reused)).toHaveLength(1)
      expect(new Set(servers.map(({ url }) => url)).size).toBe(1)
      await Promise.all(servers.map((each) => each.stop()))
      expect(await remains(folder)).toEqual(['below'])
    })
  })

  it('takes another port when its own is in use', async () => {
    await withFolder(async (folder) => {
      const first = await startEmbeddedPostgres({ dataDirectory: folder })
      await first.stop()
      const blocker = createServer().listen(Number(new URL(first.url).port), '127.0.0.1')
      await once(blocker, 'listening')
      await using second = await startEmbeddedPostgres({ dataDirectory: folder })
      blocker.close()
      expect(second.url).not.toBe(first.url)
      expect(second.reused).toBe(false)
    })
  })

  it('starts again after its server was killed', async () => {
    await withFolder(async (folder) => {
      const first = await startEmbeddedPostgres({ dataDirectory: folder })
      await insert(first.url)
      process.kill(await postmasterPid(first.dataDirectory), 'SIGKILL')
      await first.stop()
      expect(await exists(join(first.dataDirectory, 'data', 'postmaster.pid'))).toBe(true)
      await using second = await startEmbeddedPostgres({ dataDirectory: folder })
      expect(await read(second.url)).toEqual([{ n: 7 }])
    })
  })

  it('starts although its postmaster.pid names a process that is no server', async () => {
    await withFolder(async (folder) => {
      const first = await startEmbeddedPostgres({ dataDirectory: folder })
      const file = join(first.dataDirectory, 'data', 'postmaster.pid')
      const content = await readFile(file, 'utf8')
      await first.stop()
      const bystander = await spawnAsOwner(join(first.dataDirectory, 'data'))
      await writeFile(file, content.replace(/^\d+/, String(bystander.pid)))
      await using second = await startEmbeddedPostgres({ dataDirectory: folder })
      bystander.kill()
      expect(second.reused).toBe(false)
    })
  })

  it('says that its password was changed', async () => {
    await withFolder(async (folder) => {
      const first = await startEmbeddedPostgres({ dataDirectory: folder })
      await first.stop()
      await writeFile(join(first.dataDirectory, 'server.json'), '{"password":"other"}')
      await expect(startEmbeddedPostgres({ dataDirectory: folder })).rejects.toMatchObject({
        code: 'EMBEDDED_POSTGRES_FAILED',
        message: expect.stringContaining('another password'),
      })
    })
  })
})
