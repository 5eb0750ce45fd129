import { readFile } from 'node:fs/promises'
import { isError } from './is-error.js'

/** Tells whether something thrown says that there is no such file or folder. */
export function isMissingFile(thrown: unknown): boolean {
  return isError(thrown) && 'code' in thrown && thrown.code === 'ENOENT'
}

/** The text of a file, or `undefined` where there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissingFile(error)) return undefined
    throw error
  })
}
