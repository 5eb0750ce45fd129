import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary, callBinary } from './binary.js'
import { type Project, openFleet } from './project.js'

const PG = fileURLToPath(import.meta.resolve('pg'))
const database = useDatabase()

beforeAll(buildBinary)

// Each test starts several processes, and they share the machine with other tests.
vi.setConfig({ testTimeout: 180_000 })

const SAY_URL = ['node', '-p', 'process.env.DATABASE_URL']

/** A configuration with a pool that is given no URL. */
async function openPooled(options: string): Promise<Project> {
  const project = await openFleet(database, ['a'])
  await project.write(
    'tenantry.config.ts',
    `import pg from ${JSON.stringify(PG)}
     export default {
       pool: new pg.Pool(${options}),
       schemas: { shared: { name: '${project.shared}' }, tenants: { prefix: '${project.prefix}' } },
     }`,
  )
  return project
}

describe('the connection of tenantry exec', () => {
  it('keeps what the URL and PGOPTIONS say besides the path', async () => {
    const project = await openFleet(database, ['a'])
    const url = new URL(database.url)
    url.searchParams.set('application_name', 'ours')
    url.searchParams.set('options', '-c work_mem=8MB')
    const script = `
      import pg from '${import.meta.resolve('pg')}'
      for (const settings of [{ connectionString: process.env.DATABASE_URL }, {}]) {
        const client = new pg.Client(settings)
        await client.connect()
        const { rows } = await client.query("select current_schema() here, current_setting('work_mem') mem, current_setting('statement_timeout') wait, current_setting('application_name') app")
        await client.end()
        console.log(JSON.stringify(rows[0]))
      }`
    await project.write('where.mjs', script)
    const { code, stdout } = await callBinary(['exec', '-s', 'a', '--', 'node', 'where.mjs'], {
      cwd: project.folder,
      env: { DATABASE_URL: url.href, PGOPTIONS: '-c statement_timeout=7s' },
    })
    expect(code).toBe(0)
    const [byUrl, byVariables] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    expect(byUrl).toMatchObject({ here: `${project.prefix}a`, mem: '8MB', app: 'ours' })
    expect(byVariables).toMatchObject({ here: `${project.prefix}a`, wait: '7s' })
  })

  it('gives a schema that no tenant has no slug of the caller’s', async () => {
    const project = await openFleet(database, [])
    const words = [
      'node',
      '-p',
      'JSON.stringify([process.env.TENANT_SLUG, process.env.TENANT_SCHEMA])',
    ]
    const { code, stdout } = await callBinary(['exec', '-s', project.main, '--', ...words], {
      cwd: project.folder,
      env: { DATABASE_URL: database.url, TENANT_SLUG: 'other' },
    })
    expect({ code, stdout }).toEqual({ code: 0, stdout: `["","${project.main}"]\n` })
  })

  it('is told by a pool without a URL, and by the variables that pg reads', async () => {
    const { username, password, hostname, port, pathname } = new URL(database.url)
    const login = { user: decodeURIComponent(username), password: decodeURIComponent(password) }
    const project = await openPooled(
      JSON.stringify({ ...login, host: hostname, port: Number(port) }),
    )
    const { code, stdout, stderr } = await callBinary(['exec', '-s', 'a', '--', ...SAY_URL], {
      cwd: project.folder,
      env: { PGDATABASE: pathname.slice(1) },
    })
    expect({ code, stderr }).toMatchObject({ code: 0 })
    const url = new URL(stdout)
    expect(url).toMatchObject({ username, password, hostname, port, pathname })
    expect(url.searchParams.get('options')).toContain(`${project.prefix}a`)
  })

  it('cannot be told by a pool that makes its password itself', async () => {
    const { username, password, hostname, port, pathname } = new URL(database.url)
    const place = { host: hostname, port: Number(port), database: pathname.slice(1) }
    const project = await openPooled(
      `{ ...${JSON.stringify({ ...place, user: decodeURIComponent(username) })},
        password: () => ${JSON.stringify(decodeURIComponent(password))} }`,
    )
    const { code, stderr } = await callBinary(['exec', '-s', 'a', '--', ...SAY_URL], {
      cwd: project.folder,
    })
    expect(code).toBe(2)
    expect(stderr).toMatch(/^OPTIONS_INVALID: .*--database-url/m)
  })

  it('tells errors of programs apart from their results, and by which signal one ended', async () => {
    const project = await openFleet(database, ['a'])
    const script = 'echo loud >&2; echo quiet; kill -9 $$'
    const { code, stdout, stderr } = await project.tenantry('exec', '-ds', '--', 'sh', '-c', script)
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'quiet\n' })
    expect(stderr).toContain('loud\n')
    expect(stderr).toContain('"sh" was ended by SIGKILL')
  })
})
