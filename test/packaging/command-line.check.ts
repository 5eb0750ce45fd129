import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { runProgram } from './program.js'

const database = useDatabase()
const cwd = inject('consumerFolder')

async function tenantry(...args: readonly string[]): Promise<string> {
  const env = { DATABASE_URL: database.url }
  const { stdout } = await runProgram('npx', ['--no-install', 'tenantry', ...args], { cwd, env })
  return stdout
}

describe('the installed command line', () => {
  it('shows its help and its version', async () => {
    expect(await tenantry('--help')).toMatch(/^Usage: tenantry /)
    const manifest = await readFile(join(cwd, 'node_modules/tenantry/package.json'), 'utf8')
    const { version } = JSON.parse(manifest) as { version: string }
    expect(await tenantry('--version')).toBe(`${version}\n`)
  })

  it('sets up a project and creates a tenant in it', async () => {
    await tenantry('init', '--yes')
    await tenantry('migrate')
    await tenantry('tenant', 'create', 'acme')
    const tenants: unknown = JSON.parse(await tenantry('tenant', 'list', '--json'))
    expect(tenants).toMatchObject([{ slug: 'acme', schema: 'tenant_acme' }])
    const { rows } = await database.admin.query('select count(*)::int from tenant_acme.customers')
    expect(rows).toEqual([{ count: 0 }])
  })

  it('says what to install before it can lint', async () => {
    await expect(tenantry('lint', '.')).rejects.toThrow(/^LINT_PARSER_MISSING: /m)
  })
})
