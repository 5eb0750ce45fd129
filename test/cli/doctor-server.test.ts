import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { catalogFinding, versionFinding } from '../../src/cli/doctor/server.js'
import { useDatabase } from '../support/database.js'
import { buildBinary, callBinary } from './binary.js'
import { type Project, openFleet } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

interface Examined {
  readonly code: number | null
  readonly findings: ReadonlyMap<string, { readonly level: string; readonly advice?: string }>
}

async function examined({ folder }: Project, url = database.url): Promise<Examined> {
  const { code, stdout } = await callBinary(['doctor', '--json', '--no-drift'], {
    cwd: folder,
    env: { DATABASE_URL: url },
  })
  const findings = JSON.parse(stdout) as readonly { check: string; level: string }[]
  return { code, findings: new Map(findings.map((finding) => [finding.check, finding])) }
}

/** Adds a line to what the project's configuration exports. */
async function configure(project: Project, line: string): Promise<void> {
  const text = await readFile(join(project.folder, 'tenantry.config.ts'), 'utf8')
  const changed = text.replace('defineConfig({', `defineConfig({\n  ${line}`)
  await project.write('tenantry.config.ts', changed)
}

describe('tenantry doctor on the server', () => {
  it('warns of a schema with more objects than a transaction may lock', async () => {
    const project = await openFleet(database, ['a'])
    const schema = `${project.prefix}a`
    await database.admin.query(
      `do $$ begin
         for at in 1..current_setting('max_locks_per_transaction')::int loop
           execute format('create view ${schema}.v%s as select 1 as one', at);
         end loop;
       end $$`,
    )
    const { findings } = await examined(project)
    expect(findings.get('locks')).toMatchObject({ level: 'warning' })
    expect(findings.get('locks')?.advice).toMatch(
      new RegExp(`^Raise it to \\d+ or more and restart the server, .*${schema} `),
    )
  })

  it('finds a pool that does not fit into the connections of the server', async () => {
    const project = await openFleet(database, ['a'])
    await configure(project, 'poolOptions: { max: 100_000 },')
    const { code, findings } = await examined(project)
    expect(code).toBe(1)
    expect(findings.get('connections')).toMatchObject({ level: 'error' })
    expect(findings.get('connections')?.advice).toContain('max_connections')
  })

  it('reads numbers also where the service has parsers of its own', async () => {
    const project = await openFleet(database, ['a'])
    await configure(
      project,
      `poolOptions: { types: { getTypeParser: () => (text: string) => \`#\${text}\` } as never },`,
    )
    const { findings } = await examined(project)
    expect(findings.get('version')).toMatchObject({ level: 'fine' })
    expect(findings.get('pooler')).toMatchObject({ level: 'fine', message: 'no pooler in between' })
    expect(findings.get('connections')).toMatchObject({ level: 'fine' })
  })

  it("finds views, functions and types in public that are called like tenants'", async () => {
    const project = await openFleet(database, ['a'])
    const made = (place: string): string => `
      create view ${place}.totals as select 1 as one;
      create function ${place}.fee() returns int language sql as 'select 1';
      create type ${place}.mood as enum ('good');
      create table ${place}.fines (id serial);`
    await database.admin.query(made(`${project.prefix}a`) + made('public'))
    try {
      const { findings } = await examined(project)
      expect(findings.get('stray objects')).toMatchObject({
        level: 'warning',
        names: [
          'function public.fee',
          'table public.fines',
          'type public.mood',
          'view public.totals',
        ],
      })
    } finally {
      await database.admin.query(
        `drop view public.totals; drop function public.fee(); drop type public.mood;
         drop table public.fines`,
      )
    }
  })

  it('ends with 4 where others hold a lock, and looks at what it can see', async () => {
    const project = await openFleet(database, ['a'])
    const url = new URL(database.url)
    url.searchParams.set('options', '-c lock_timeout=200')
    const client = await database.admin.connect()
    try {
      await client.query(`begin; lock table ${project.shared}.tenantry_tenants`)
      const { code, findings } = await examined(project, url.href)
      expect(code).toBe(4)
      expect(findings.get('version')).toMatchObject({ level: 'fine' })
      expect(findings.get('registry')).toMatchObject({ level: 'locked' })
      expect(findings.get('registry')?.advice).toContain('Look again when they are done')
    } finally {
      await client.query('rollback')
      client.release()
    }
  })

  it('tells a look that fails, and goes on with the others', async () => {
    const project = await openFleet(database, ['a'])
    await project.write('migrations/tenant/1_again.sql', 'select 1;')
    const { code, findings } = await examined(project)
    expect(code).toBe(1)
    expect(findings.get('migrations')).toMatchObject({ level: 'error' })
    expect(findings.get('invalid indexes')).toMatchObject({ level: 'fine' })
  })

  it('ends with 2 where it is used wrongly', async () => {
    const project = await openFleet(database, [])
    expect(await project.tenantry('doctor', '--nope')).toMatchObject({ code: 2, stdout: '' })
    expect(await project.tenantry('doctor', '--config', 'none.ts')).toMatchObject({ code: 2 })
  })
})

describe('what the doctor says', () => {
  it('asks for an upgrade of servers before 15', () => {
    expect(versionFinding(150_000, '15.0').level).toBe('fine')
    expect(versionFinding(140_012, '14.12')).toMatchObject({
      level: 'error',
      advice: expect.stringContaining('PostgreSQL 15 or newer') as string,
    })
  })

  it('warns of catalogs of a gigabyte', () => {
    expect(catalogFinding(2 ** 30 - 1, '').level).toBe('fine')
    expect(catalogFinding(2 ** 30, '')).toMatchObject({
      level: 'warning',
      advice: expect.stringContaining('scope.maxSchemasPerClient') as string,
    })
  })
})
