import { beforeAll, describe, expect, it, vi } from 'vitest'
import { commandTree, flatten } from '../../src/cli/command-tree.js'
import { buildProgram } from '../../src/cli/program.js'
import { buildBinary, callBinary } from './binary.js'

beforeAll(buildBinary)

// Every command is a process, and they share the machine with other tests.
vi.setConfig({ testTimeout: 180_000 })

const paths = flatten(commandTree(buildProgram(() => {}))).map(({ path }) => path)

describe('the help', () => {
  it('is there for all commands', () => {
    expect(paths.length).toBeGreaterThan(30)
  })

  it.concurrent.for(paths.map((path) => [path.join(' '), path] as const))(
    'of "%s" says what the snapshot says',
    async ([, path], { expect: expectHere }) => {
      const { code, stdout, stderr } = await callBinary([...path, '--help'], { cwd: '/' })
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      await expectHere(stdout).toMatchFileSnapshot(
        `help/${path.length === 0 ? 'tenantry' : path.join('-')}.txt`,
      )
    },
  )
})
