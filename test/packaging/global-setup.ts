import { rm } from 'node:fs/promises'
import type { TestProject } from 'vitest/node'
import { installPackage } from './consumer.js'
import { packPackage } from './pack.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** A project outside of the repository, with the packed package installed. */
    consumerFolder: string
    /** What is in the packed package: paths from its root. */
    packedFiles: readonly string[]
    /** The packed package itself. */
    tarball: string
  }
}

let folder: string | undefined

/** Packs the package as it is built, and installs it into an empty project. */
export async function setup(project: TestProject): Promise<void> {
  const packed = await packPackage()
  folder = packed.folder
  project.provide('packedFiles', packed.files)
  project.provide('tarball', packed.tarball)
  project.provide('consumerFolder', await installPackage(packed))
}

/** Removes the project with the package. */
export async function teardown(): Promise<void> {
  if (folder !== undefined) await rm(folder, { recursive: true })
}
