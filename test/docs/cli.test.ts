import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { cliPage } from './cli-page.js'
import { compileErrors } from './compile.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

describe('docs/cli.md', () => {
  it('is what the definitions of the commands make of it; `npm run docs:cli` writes it', async () => {
    expect(await readFile(new URL('../../docs/cli.md', import.meta.url), 'utf8')).toBe(
      await cliPage(),
    )
  })

  it('has an example that compiles', { timeout: 120_000 }, async () => {
    const page = await cliPage()
    const blocks = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, text = '']) => text)
    expect(blocks).toHaveLength(1)
    expect(compileErrors(ROOT, blocks)).toEqual([])
  })
})
