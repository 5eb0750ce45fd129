import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PackedPackage } from './pack.js'
import { runProgram } from './program.js'

const SOURCES = fileURLToPath(new URL('consumer', import.meta.url))

/** Makes a project beside the tarball and installs the package there, as its users do. */
export async function installPackage({ folder, tarball }: PackedPackage): Promise<string> {
  const consumer = join(folder, 'consumer')
  await mkdir(consumer)
  await writeFile(join(consumer, 'package.json'), '{ "private": true }\n')
  await cp(SOURCES, consumer, { recursive: true })
  // One source, compiled as an ES module and as a CommonJS one.
  await cp(join(SOURCES, 'types.mts'), join(consumer, 'types.cts'))
  const others = await Promise.all(['pg', '@types/node'].map(sameVersion))
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball, ...others]
  await runProgram('npm', args, { cwd: consumer })
  return consumer
}

/** The version of a package that the repository has, which npm has in its cache. */
export async function sameVersion(name: string): Promise<string> {
  const path = createRequire(import.meta.url).resolve(`${name}/package.json`)
  const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string }
  return `${name}@${version}`
}
