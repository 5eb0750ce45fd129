import { existsSync } from 'node:fs'

type Core = typeof import('tenantry')
type Testing = typeof import('tenantry/testing')

/** The package as it is published: what is measured is the bundle, not the sources. */
export async function builtPackage(): Promise<Core & Pick<Testing, 'startEmbeddedPostgres'>> {
  const core: Core = await load('index.js')
  const { startEmbeddedPostgres }: Testing = await load('testing.js')
  return { ...core, startEmbeddedPostgres }
}

async function load<T>(file: string): Promise<T> {
  const url = new URL(`../dist/${file}`, import.meta.url)
  if (existsSync(url)) return import(url.href) as Promise<T>
  throw new Error(`${url.pathname} does not exist. Build the package first: npm run build`)
}
