import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { buildBinary, callBinary } from './binary.js'

beforeAll(buildBinary)

// Each test starts several processes, and they share the machine with other tests.
vi.setConfig({ testTimeout: 180_000 })

/** What bash offers for the last of the words. */
async function offered(script: string, words: readonly string[]): Promise<readonly string[]> {
  const list = words.map((word) => `'${word}'`).join(' ')
  const ask = `COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _tenantry; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout } = await promisify(execFile)('bash', ['-c', `${script}\n${ask}`])
  return stdout.split('\n').filter((line) => line !== '')
}

describe('tenantry completion', () => {
  it('lets bash complete commands, those of a group, and flags', async () => {
    const { code, stdout } = await callBinary(['completion', 'bash'], { cwd: '/' })
    expect(code).toBe(0)
    expect(await offered(stdout, ['tenantry', 'mi'])).toEqual(['migrate', 'migrateschema'])
    expect(await offered(stdout, ['tenantry', 'tenant', 're'])).toEqual(['rename'])
    const flags = await offered(stdout, ['tenantry', 'migrate', '-s', 'acme', '-'])
    expect(flags).toEqual(expect.arrayContaining(['-as', '-ds', '--parallel', '--to', '--help']))
    expect(flags).not.toContain('--execute')
    const run = await offered(stdout, ['tenantry', 'runschema', '--ex'])
    expect(run.toSorted()).toEqual(['--exclude-schema', '--execute'])
    expect(await offered(stdout, ['tenantry', 'exec', '--', '-'])).toEqual([])
  })

  it.each(['zsh', 'fish'])('writes what %s reads, with descriptions', async (shell) => {
    const { code, stdout } = await callBinary(['completion', shell], { cwd: '/' })
    expect(code).toBe(0)
    expect(stdout).toContain('drop the schema of a deleted tenant')
    expect(stdout).toContain('--exclude-schema')
  })

  it('refuses a shell that it does not know', async () => {
    expect(await callBinary(['completion', 'cmd'], { cwd: '/' })).toMatchObject({ code: 2 })
  })
})
