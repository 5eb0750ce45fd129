import { execFile, spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { buildBinary, callBinary } from './binary.js'
import { temporaryFolder } from './project.js'

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

function has(shell: string): boolean {
  const isThere = spawnSync(shell, ['--version']).status === 0
  if (!isThere) console.log(`Completion is not tested in ${shell}: it is not on the PATH.`)
  return isThere
}

async function scriptFile(shell: string): Promise<string> {
  const file = join(await temporaryFolder(), `tenantry.${shell}`)
  await writeFile(file, (await callBinary(['completion', shell], { cwd: '/' })).stdout)
  return file
}

/** Types into a zsh of its own, presses the tabulator, and waits until the rest stands there. */
const TYPE_IN_ZSH = `
zmodload zsh/zpty
zpty typed zsh -f -i
zpty -w typed "autoload -U compinit; compinit -u -D; source $1; echo LOA''DED"
zpty -r -m typed out '*LOADED*'
complete_to() {
  zpty -w -n typed "$1"$'\t'
  zpty -r -m typed out "$2" || exit 1
  print -r -- "$3"
  zpty -w -n typed $'\x15'
}
complete_to 'tenantry tenant pur' '*pur*ge*' purge
complete_to 'tenantry migrate -s acme --verb' '*verb*ose*' --verbose
complete_to 'tenantry tenant un' '*un*delete*' undelete
zpty -d typed
`

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

  it.skipIf(!has('fish'))('lets fish complete commands, those of a group, and flags', async () => {
    const file = await scriptFile('fish')
    // Files that are there are offered as well.
    const cwd = dirname(file)
    const asked = async (line: string): Promise<readonly string[]> => {
      const ask = `source ${file}; complete -C '${line}'`
      const { stdout } = await promisify(execFile)('fish', ['--no-config', '-c', ask], { cwd })
      return stdout.split('\n').map((each) => each.split('\t')[0] ?? '')
    }
    expect(await asked('tenantry mi')).toEqual(['migrate', 'migrateschema', ''])
    expect(await asked('tenantry tenant re')).toEqual(['rename', ''])
    expect(await asked('tenantry migrate -s acme --ver')).toEqual(['--verbose', '--verify', ''])
    expect(await asked('tenantry exec -- --')).toEqual([''])
  })

  it.skipIf(!has('zsh'))('lets zsh complete commands, those of a group, and flags', async () => {
    const file = await scriptFile('zsh')
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'type.zsh'), TYPE_IN_ZSH)
    const args = ['-f', join(folder, 'type.zsh'), file]
    const { stdout } = await promisify(execFile)('zsh', args, { cwd: folder, timeout: 50_000 })
    expect(stdout).toBe('purge\n--verbose\nundelete\n')
  })

  it('refuses a shell that it does not know', async () => {
    expect(await callBinary(['completion', 'cmd'], { cwd: '/' })).toMatchObject({ code: 2 })
  })
})
