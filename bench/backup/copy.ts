import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPool } from '../server.js'

/** Where the tenant is copied to. */
export interface Copy extends AsyncDisposable {
  /** An empty database on the same server. */
  readonly url: string
  readonly folder: string
}

/** Makes an empty database and a folder that are gone afterwards. */
export async function openCopy(source: string): Promise<Copy> {
  const admin = openPool(source, 1)
  const name = `tenantry_bench_copy_${process.pid}`
  await admin.query(`create database ${name}`)
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-bench-'))
  const url = new URL(source)
  url.pathname = `/${name}`
  return {
    url: url.href,
    folder,
    [Symbol.asyncDispose]: async () => {
      await admin.query(`drop database ${name} with (force)`)
      await admin.end()
      await rm(folder, { recursive: true })
    },
  }
}
