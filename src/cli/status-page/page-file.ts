import { constants } from 'node:fs'
import { access, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Output } from '../output.js'
import { usageError } from '../usage-error.js'
import type { StatusPage } from './status-page.js'

/**
 * The file that `--html` names, from the folder where the command was called.
 *
 * It is asked for first: a configuration makes its own folder the working directory, and what cannot
 * be written is refused before anything is done.
 *
 * @throws `OPTIONS_INVALID` when its folder cannot be written to.
 */
export async function pageFile(html: string | undefined): Promise<string | undefined> {
  if (html === undefined) return undefined
  const file = resolve(html)
  try {
    await access(dirname(file), constants.W_OK)
  } catch (error) {
    const sentence = `--html cannot be written: there is no folder ${dirname(file)} to write to.`
    throw usageError('html', sentence, error)
  }
  return file
}

/** Writes a page, and says where it is. */
export async function writePage(file: string, content: StatusPage, output: Output): Promise<void> {
  // Only those who want a page load it.
  const { statusPage } = await import('./status-page.js')
  await writeFile(file, statusPage(content))
  output.note(`Written: ${file}`)
}
