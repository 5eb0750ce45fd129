import { lstat, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, it, onTestFinished } from 'vitest'
import { sameVersion } from './consumer.js'
import { runProgram } from './program.js'

const LIMIT_MB = 12
const BLOCK_BYTES = 512

/** What a folder takes on the disk, where each file fills whole blocks. */
async function bytesOnDisk(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true })
  const sizes = await Promise.all(
    entries.map(async (entry) => (await lstat(join(folder, entry))).blocks * BLOCK_BYTES),
  )
  return sizes.reduce((total, size) => total + size, 0)
}

it(`adds less than ${LIMIT_MB} MB to a service in production that has pg`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-size-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n')
  const flags = ['--omit=dev', '--prefer-offline', '--no-audit', '--no-fund']
  const modules = join(folder, 'node_modules')
  const bytesWith = async (wanted: string): Promise<number> => {
    await runProgram('npm', ['install', ...flags, wanted], { cwd: folder })
    return bytesOnDisk(modules)
  }
  const before = await bytesWith(await sameVersion('pg'))
  const bytes = (await bytesWith(inject('tarball'))) - before
  console.log(`npm install tenantry adds ${(bytes / 1e6).toFixed(1)} MB`)
  expect(bytes).toBeGreaterThan(0)
  expect(bytes).toBeLessThan(LIMIT_MB * 1e6)
})
