import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, inject, it } from 'vitest'
import { runProgram } from './program.js'

const COMPILER = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))

describe('the types of the installed package', () => {
  it('compile in an ES module and a CommonJS one, with the libraries checked', async () => {
    const cwd = inject('consumerFolder')
    const args = [COMPILER, '--project', join(cwd, 'tsconfig.consumer.json'), '--listFiles']
    const { stdout } = await runProgram(process.execPath, args, { cwd })
    expect(stdout).toContain('tenantry/dist/index.d.ts')
    expect(stdout).toContain('tenantry/dist/index.d.cts')
  })
})
