import { stat } from 'node:fs/promises'

/** Tells whether a path is that of a folder which is there. */
export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
