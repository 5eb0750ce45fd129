import { beforeAll, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { buildBinary, callBinary } from './binary.js'
import { linesOf, openProject } from './project.js'

const database = useDatabase()

beforeAll(buildBinary)

describe('the command line', () => {
  it.each([
    [['migrate', '--nope']],
    [['nope']],
    [['tenant', 'nope']],
    [['migrate', '-s']],
    [['migrate', '--parallel', '0']],
    [['migrate', '--parallel', 'two']],
    [['migrate', 'stray']],
    [['tenant', 'create']],
    [['init', '-as']],
    [['tenant', 'create', 'acme', '--nope']],
  ])('refuses %j with 2 and one line on stderr', async (args) => {
    const project = await openProject(database)
    const { code, stdout, stderr } = await project.tenantry(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(linesOf(stderr)).toEqual([expect.stringMatching(/^OPTIONS_INVALID: /)])
  })

  it('shows its help: asked for with 0, and with 2 where a command is missing', async () => {
    const help = await callBinary(['--help'], { cwd: '/' })
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toContain('whowill')
    const command = await callBinary(['migrate', '--help'], { cwd: '/' })
    expect(command.code).toBe(0)
    for (const flag of [
      '-as',
      '-ss',
      '-ds',
      '-s, --schema',
      '-x, --exclude-schema',
      '--parallel',
    ]) {
      expect(command.stdout).toContain(flag)
    }
    expect((await callBinary([], { cwd: '/' })).code).toBe(2)
  })

  it('shows its version', async () => {
    const { code, stdout } = await callBinary(['--version'], { cwd: '/' })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('keeps passwords to itself', async () => {
    const project = await openProject(database)
    const wrong = new URL(database.url)
    wrong.password = 'hush-hush'
    wrong.port = '1'
    const urls = [wrong.href, 'postgres://me:hush-hush@[bad', 'mysql://me:hush-hush@host/db']
    for (const url of urls) {
      for (const DEBUG of ['', '1']) {
        const { code, stdout, stderr } = await callBinary(['status'], {
          cwd: project.folder,
          env: { DATABASE_URL: url, DEBUG },
        })
        expect(code).toBeGreaterThan(0)
        expect(stderr).toMatch(/^[A-Z_]+: \S/)
        expect(stdout + stderr).not.toContain('hush-hush')
      }
    }
  })

  it('shows a stack only to those who set DEBUG', async () => {
    const project = await openProject(database)
    const env = { DATABASE_URL: 'postgres://localhost:1/none' }
    const cwd = project.folder
    expect(linesOf((await callBinary(['status'], { cwd, env })).stderr)).toHaveLength(1)
    const debug = await callBinary(['status'], { cwd, env: { ...env, DEBUG: '1' } })
    expect(debug.stderr).toMatch(/^ +at /m)
  })

  it('writes no colours where nobody sees them', async () => {
    const project = await openProject(database)
    const env = { DATABASE_URL: database.url, CI: '1', FORCE_COLOR: '1' }
    const { stdout, stderr } = await callBinary(['migrate'], { cwd: project.folder, env })
    expect(stdout + stderr).not.toContain('\u001B')
  })
})
