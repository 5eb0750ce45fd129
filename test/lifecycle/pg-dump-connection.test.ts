import { execFile } from 'node:child_process'
import { chown, mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { withConnection } from '../../src/lifecycle/pg-dump/connection.js'
import { NOBODY } from '../support/nobody.js'
import { useDatabase } from '../support/database.js'
import { findSystemPostgres, useSystemServer } from '../support/system-postgres.js'

const system = await findSystemPostgres()
const database = useDatabase(await useSystemServer(system))
const run = promisify(execFile)
let folder = ''
let ca = ''

beforeAll(async () => {
  if (system === undefined) return
  folder = await mkdtemp(join(tmpdir(), 'tenantry-certificate-'))
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')]
  const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const files = ['-keyout', key, '-out', cert]
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...names, ...files])
  ca = await readFile(cert, 'utf8')
  // The server's account has to own its key.
  if (process.getuid?.() === 0) {
    for (const path of [folder, key, cert]) await chown(path, NOBODY, NOBODY)
  }
  await database.admin.query(`alter system set ssl_key_file = '${key}'`)
  await database.admin.query(`alter system set ssl_cert_file = '${cert}'`)
  await database.admin.query('alter system set ssl = on')
  await database.admin.query('select pg_reload_conf()')
  await vi.waitFor(async () => {
    const { rows } = await database.admin.query<{ ssl: string }>('show ssl')
    if (rows[0]?.ssl !== 'on') throw new Error('The server has no TLS yet.')
  })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

type TestPoolOptions = Parameters<typeof database.pool>[0]

/** What psql says that connects as a client of such a pool does. */
const asked = (options: TestPoolOptions, text: string): Promise<string> =>
  askedOn(database.pool(options), text)

async function askedOn(pool: Pool, text: string): Promise<string> {
  const client = await pool.connect()
  try {
    return await withConnection(client, async (env) => {
      const args = ['--no-password', '--no-psqlrc', '-Atc', text]
      return (await run(system?.program('psql') ?? 'psql', args, { env })).stdout.trim()
    })
  } finally {
    client.release()
  }
}

const IS_SAFE = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'

describe.skipIf(system === undefined)('withConnection', () => {
  it.each([
    ['without TLS', () => ({}), 'f'],
    ['with a certificate that is known', () => ({ ssl: { ca } }), 't'],
    ['with a list of certificates in bytes', () => ({ ssl: { ca: [Buffer.from(ca)] } }), 't'],
    ['with any certificate', () => ({ ssl: { rejectUnauthorized: false } }), 't'],
  ])('connects as the client is connected, %s', async (_, options, safe) => {
    expect(await asked(options(), IS_SAFE)).toBe(safe)
    const names = await readdir(tmpdir())
    expect(names.filter((name) => name.startsWith('tenantry-tls-'))).toEqual([])
  })

  it('trusts no certificate that the client would not', async () => {
    const client = await database.pool({ ssl: { rejectUnauthorized: false } }).connect()
    try {
      // As a client with Node's own certificates would have it.
      Reflect.set(client, 'ssl', true)
      const ask = withConnection(client, (env) =>
        run(system?.program('psql') ?? 'psql', ['-c', 'select 1'], { env }),
      )
      await expect(ask).rejects.toThrow(/certificate verify failed/)
    } finally {
      client.release()
    }
  })

  it('passes options on, and nothing that this process has for itself', async () => {
    vi.stubEnv('PGHOST', 'nowhere.invalid')
    vi.stubEnv('PGSERVICE', 'nothing')
    const set = await asked({ options: '-c work_mem=123kB' }, 'show work_mem')
    expect(set).toBe('123kB')
    vi.unstubAllEnvs()
  })

  it('has the password that a function gave', async () => {
    const { hostname, port, password } = new URL(database.url)
    const pool = new Pool({
      host: hostname,
      port: Number(port),
      user: 'postgres',
      database: database.name,
      password: () => Promise.resolve(decodeURIComponent(password)),
    })
    try {
      expect(await askedOn(pool, 'select current_user')).toBe('postgres')
    } finally {
      await pool.end()
    }
  })
})
