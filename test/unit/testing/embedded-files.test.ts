import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  access,
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readlink,
  rm,
  writeFile,
} from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { acceptNameless, isNameless } from '../../../src/testing/embedded/nameless-account.js'
import { areUsable } from '../../../src/testing/embedded/postgres-binaries.js'
import { findPostmaster } from '../../../src/testing/embedded/postmaster-file.js'
import { EXECUTABLE, READABLE, isReachable } from '../../../src/testing/embedded/server-account.js'
import { ensureServerFile, readServerFile } from '../../../src/testing/embedded/server-file.js'

let folder: string
const children: ChildProcess[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenantry-files-'))
})

afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await rm(folder, { recursive: true })
})

async function write(path: string, text: string | Buffer, mode?: number): Promise<string> {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  if (mode !== undefined) await chmod(file, mode)
  return file
}

describe('the file beside persistent data', () => {
  it.each([
    ['a number', '7'],
    ['nothing', 'null'],
    ['no password', '{}'],
    ['a port that is a text', '{"password":"x","port":"1"}'],
    ['half of it', '{"password"'],
  ])('cannot be read where it is %s', async (_what, text) => {
    await write('server.json', text)
    await expect(readServerFile(folder)).rejects.toMatchObject({ code: 'EMBEDDED_POSTGRES_FAILED' })
  })

  it('may be missing, and is no folder', async () => {
    expect(await readServerFile(folder)).toBeUndefined()
    await mkdir(join(folder, 'server.json'))
    await expect(readServerFile(folder)).rejects.toMatchObject({
      code: 'EMBEDDED_POSTGRES_FAILED',
      cause: { code: 'EISDIR' },
    })
  })

  it('is written by one of many processes, and read by the others', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => ensureServerFile(folder)))
    expect(new Set(made.map(({ password }) => password)).size).toBe(1)
    expect(await readServerFile(folder)).toEqual(made[0])
  })
})

describe.runIf(process.platform === 'linux')('postmaster.pid', () => {
  /** A process whose command line is that of a server, as far as anybody looks. */
  async function pretend(program: string, ...args: readonly string[]): Promise<number> {
    const script = 'console.log("up"); setInterval(() => {}, 9999)'
    const child = spawn(process.execPath, ['-e', script, '--', ...args], {
      argv0: program,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    children.push(child)
    if (child.stdout) await once(child.stdout, 'data')
    return child.pid ?? 0
  }

  const fileOf = (pid: number): Promise<string> =>
    write('postmaster.pid', [pid, folder, '1', '5432', '', '', '', 'ready   ', ''].join('\n'))

  it('is that of the server of these data, in doubt as well', async () => {
    const found = { port: 5432, ready: true }
    for (const args of [['-D', folder], [], ['-D', 'data'], ['-D']]) {
      const pid = await pretend('/usr/bin/postgres', ...args)
      await fileOf(pid)
      expect(await findPostmaster(folder)).toEqual({ pid, ...found })
    }
  })

  it('is cleared away where its process is another program, or serves other data', async () => {
    const other = await pretend('node')
    const elsewhere = await pretend('postgres', '-D', tmpdir())
    for (const pid of [other, elsewhere]) {
      const file = await fileOf(pid)
      expect(await findPostmaster(folder)).toBeUndefined()
      await expect(access(file)).rejects.toMatchObject({ code: 'ENOENT' })
    }
  })

  it('says nothing where it is missing, empty, or of a process that is gone', async () => {
    expect(await findPostmaster(folder)).toBeUndefined()
    await write('postmaster.pid', '')
    expect(await findPostmaster(folder)).toBeUndefined()
    await fileOf(2 ** 30)
    expect(await findPostmaster(folder)).toBeUndefined()
  })
})

describe('the account of a server', () => {
  const { uid, gid } = userInfo()
  const bits = READABLE | EXECUTABLE

  it('reaches what it may pass to, as owner, in the group or as anybody', async () => {
    await chmod(folder, 0o750)
    const file = await write('a', '', 0o754)
    const can = (account: { uid: number; gid: number } | undefined): Promise<boolean> =>
      isReachable(file, account, bits)
    expect(await can(undefined)).toBe(true)
    expect(await can({ uid, gid: 99_999 })).toBe(true)
    expect(await can({ uid: 99_999, gid })).toBe(true)
    expect(await can({ uid: 99_999, gid: 99_999 })).toBe(false)
    await chmod(folder, 0o755)
    expect(await can({ uid: 99_999, gid: 99_999 })).toBe(false)
    expect(await isReachable(file, { uid: 99_999, gid: 99_999 }, READABLE)).toBe(true)
    expect(await isReachable(join(folder, 'none'), { uid: 99_999, gid: 99_999 }, bits)).toBe(true)
  })

  it.runIf(process.platform === 'linux')('may have no name', async () => {
    expect(await isNameless({ uid: 4_000_000_000, gid: 1 })).toBe(true)
    expect(await isNameless({ uid: 0, gid: 0 })).toBe(false)
    expect(await isNameless(undefined)).toBe(false)
  })

  it('is given a name in programs that look it up', async () => {
    const call = Buffer.from('a\0getpwuid\0b\0')
    const initdb = await write('initdb', call)
    const postgres = await write('postgres', 'nothing of it')
    await acceptNameless({ initdb, postgres })
    expect(await readFile(initdb, 'latin1')).toBe('a\0getpwent\0b\0')
    expect(await readFile(postgres, 'utf8')).toBe('nothing of it')
  })
})

describe('the programs of a server', () => {
  it('are made runnable, with the links that an install script would have made', async () => {
    const initdb = await write('native/bin/initdb', '', 0o644)
    const postgres = await write('native/bin/postgres', '', 0o755)
    await write('native/share/postgresql/postgres.bki', '')
    await write('native/lib/postgresql/plpgsql.so', '')
    await write('native/lib/libpq.so.5.18', '')
    const link = { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }
    await write('native/pg-symlinks.json', JSON.stringify([link, 7, {}]))
    for (const _ of ['made', 'found']) {
      expect(await areUsable({ initdb, postgres }, undefined)).toBe(true)
      expect(await readlink(join(folder, link.target))).toBe('libpq.so.5.18')
      expect((await lstat(initdb)).mode & 0o111).toBe(0o111)
    }
    await write('native/pg-symlinks.json', '{}')
    expect(await areUsable({ initdb, postgres }, undefined)).toBe(false)
  })
})
