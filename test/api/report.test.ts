import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { differenceFrom, problemsOf, writeReports } from './folder.js'
import { type Report, reportsOf } from './report.js'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

const EXPORTS = {
  '.': { import: { types: './dist/index.d.ts' } },
  './extra': { import: { types: './dist/extra.d.ts' } },
  './package.json': './package.json',
}

const SHARED = `
import { EventEmitter } from 'node:events';
/** A box. */
declare class Box extends EventEmitter {
    #private;
    /** @internal Made by the shop. */
    constructor(parts: Parts);
    /** What is in it. */
    readonly content: string;
    /** @internal */
    shake(parts: Parts): void;
}
/** What a box is made of. */
interface Parts { readonly lid: boolean }
`

/** A package as the build leaves it; `letter` and `chunk` are what the bundler may choose anew. */
function packageWith(
  index: string,
  { chunk = 'shared-AbC1', letter = 'B', extra = '' } = {},
): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'tenantry-reports-')))
  folders.push(root)
  const files = {
    'package.json': JSON.stringify({ type: 'module', exports: EXPORTS }),
    [`dist/${chunk}.d.ts`]: `${SHARED}\nexport { Box as ${letter} };`,
    'dist/index.d.ts': `import { ${letter} as Box } from './${chunk}.js';\n${index}`,
    'dist/extra.d.ts': `import { ${letter} as Box } from './${chunk}.js';\n${extra}
      declare function open(box: Box): string;\nexport { open };`,
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

const textOf = (reports: readonly Report[], name: string): string =>
  reports.find((report) => report.name === name)?.text ?? ''

describe('a report', () => {
  it('has the declarations by name, without comments and internals', async () => {
    const reports = await reportsOf(
      packageWith('/** Z. */\ndeclare const zip: number;\nexport { zip, Box };'),
    )
    expect(textOf(reports, 'index.d.ts')).toBe(
      [
        "import { EventEmitter } from 'node:events';\n",
        'export declare class Box extends EventEmitter {\n  #private;\n' +
          '  protected constructor();\n  readonly content: string;\n}\n',
        'export declare const zip: number;\n',
      ]
        .join('\n')
        .replaceAll("'", '"'),
    )
  })

  it('refers to the subpath that exports a type first', async () => {
    const reports = await reportsOf(packageWith('export { Box };'))
    expect(textOf(reports, 'extra.d.ts')).toBe(
      'import { Box } from "./index.js";\n\nexport declare function open(box: Box): string;\n',
    )
  })

  it('is the same whatever the build calls its shared files', async () => {
    const one = await reportsOf(packageWith('export { Box };'))
    const other = await reportsOf(packageWith('export { Box };', { chunk: 'z-1', letter: 'q' }))
    expect(other).toEqual(one)
  })
})

describe('the check of reports', () => {
  it('shows what has changed, what is new and what is gone', async () => {
    const root = packageWith('export { Box };')
    const api = join(root, 'api')
    const reports = await reportsOf(root)
    writeReports(api, reports)
    expect(differenceFrom(api, reports)).toBe('')

    const changed = await reportsOf(packageWith('declare const zip: 1;\nexport { Box, zip };'))
    expect(differenceFrom(api, changed)).toContain('\n+export declare const zip: 1;\n')
    expect(differenceFrom(api, changed.slice(0, 1))).toContain('deleted file')
    expect(differenceFrom(join(root, 'none'), reports)).toContain('new file')
    expect(readdirSync(api)).toEqual(['extra.d.ts', 'index.d.ts'])
  })

  it('names types that no subpath exports', async () => {
    const root = packageWith(
      'interface Hidden { a: 1 }\ndeclare const zip: Hidden;\nexport { zip };',
    )
    const reports = await reportsOf(root)
    writeReports(join(root, 'api'), reports)
    expect(problemsOf(join(root, 'api'), reports)).toEqual([
      expect.stringMatching(/^Hidden in api\/index\.d\.ts cannot be named/),
      expect.stringMatching(/^Box in api\/extra\.d\.ts cannot be named/),
    ])
  })

  it('says what does not compile', async () => {
    const root = packageWith('export { Box };', { extra: 'export declare const lost: Nowhere;' })
    const reports = await reportsOf(root)
    writeReports(join(root, 'api'), reports)
    expect(problemsOf(join(root, 'api'), reports).join()).toContain("Cannot find name 'Nowhere'")
  })
})
