import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseSchemaName } from '../../src/names/schema-name.js'
import { preludeOf } from '../../src/postgres/statement/prelude.js'
import { useDatabase } from '../support/database.js'
import { compileErrors } from './compile.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const readme = read('README.md')
const manifest = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
const database = useDatabase()
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenantry-readme-'))
})

afterAll(() => rm(folder, { recursive: true }))

describe('the example in README.md', () => {
  const [example = ''] = blocks('js')
  const [output = ''] = blocks('text')

  it('prints what the page says, on the database of DATABASE_URL', async () => {
    expect(await runExample(example, { DATABASE_URL: database.url })).toBe(output)
    const { rows } = await database.admin.query('select amount from tenant_acme.loans')
    expect(rows).toEqual([{ amount: 1200 }])
  })

  it('prints the same on an embedded server', { timeout: 60_000 }, async () => {
    expect(await runExample(example, { DATABASE_URL: undefined })).toBe(output)
  })

  it('is short', () => {
    expect(example.trimEnd().split('\n').length).toBeLessThanOrEqual(20)
  })
})

describe('the commands in README.md', () => {
  const commands = blocks('sh').map((command) => command.trim())

  it('are one for the demo and one for the tests', () => {
    expect(commands).toEqual(['npm install && npm run demo', 'npm install && npm test'])
  })

  it('are scripts of the package', () => {
    expect(manifest.scripts).toMatchObject({
      demo: expect.any(String) as string,
      test: expect.any(String) as string,
    })
  })

  it('are what .ci/run calls', () => {
    const script = read('.ci/run')
    expect(commands.filter((command) => !script.includes(command))).toEqual([])
    expect(manifest.scripts['ci']).toBe('bash .ci/run')
  })
})

describe('the batch in README.md', () => {
  it('begins with the prelude as it is sent', () => {
    const [, shown = ''] = /^Parse, Bind, Execute +(select .*)$/m.exec(readme) ?? []
    const { stay } = preludeOf(parseSchemaName('tenant_acme'), '"tenant_acme", pg_temp')
    expect(shown).not.toBe('')
    expect(stay.text.slice(0, shown.length)).toBe(shown)
  })
})

describe('the tour in README.md', () => {
  it('compiles', { timeout: 120_000 }, () => {
    expect(blocks('ts').length).toBeGreaterThan(3)
    expect(compileErrors(ROOT, blocks('ts'))).toEqual([])
  })

  it('names the commands and flags that the command line has', () => {
    const page = read('docs/cli.md')
    const flags = [...readme.matchAll(/^\|.*`(--[a-z-]+)`/gm)].map(([, flag = '']) => flag)
    const names = [...readme.matchAll(/^\| `tenantry ((?:tenant )?\w+)`/gm)]
    const commands = names.map(([, name = '']) => `### tenantry ${name}`)
    expect(flags).toHaveLength(16)
    expect(commands).toHaveLength(13)
    expect([...flags, ...commands].filter((each) => !page.includes(each))).toEqual([])
  })
})

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** The fenced blocks of the README in one language, in their order. */
function blocks(language: string): readonly string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm')
  return [...readme.matchAll(pattern)].map(([, text = '']) => text)
}

/** Runs the example as a reader does who has a clone, and gives back what it prints. */
async function runExample(
  example: string,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const file = join(folder, 'example.mjs')
  await writeFile(file, example)
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file], {
    cwd: ROOT,
    env: { ...process.env, DEBUG: undefined, ...variables },
  })
  return stdout
}
