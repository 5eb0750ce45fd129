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

it(`is less than ${LIMIT_MB} MB in production, with pg and all that it depends on`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-size-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n')
  const flags = ['--omit=dev', '--prefer-offline', '--no-audit', '--no-fund']
  const wanted = [inject('tarball'), await sameVersion('pg')]
  await runProgram('npm', ['install', ...flags, ...wanted], { cwd: folder })
  const bytes = await bytesOnDisk(join(folder, 'node_modules'))
  console.log(`npm install tenantry pg takes ${(bytes / 1e6).toFixed(1)} MB`)
  expect(bytes).toBeGreaterThan(0)
  expect(bytes).toBeLessThan(LIMIT_MB * 1e6)
})
