import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'

const files = inject('packedFiles')
const installed = join(inject('consumerFolder'), 'node_modules/tenantry')

describe('the packed package', () => {
  it('holds the build, the pages that npm shows, and nothing else', () => {
    const top = new Set(files.map((path) => path.split('/')[0]))
    expect(top).toEqual(new Set(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json']))
  })

  it('holds only what the build makes: no source, no test, no example', () => {
    const built = files.filter((path) => path.startsWith('dist/'))
    const strange = built.filter((path) => !/^dist\/[\w-]+\.(d\.ts|d\.cts|c?js)$/.test(path))
    expect(strange).toEqual([])
    expect(
      files.filter((path) => /(^|[./])(tests?|spec|examples?|demo|bench)\b/.test(path)),
    ).toEqual([])
  })

  it('has no link to a source map that is missing', () => {
    const broken = files.filter((path) => {
      const [, map] = /\n\/\/# sourceMappingURL=(\S+)\s*$/.exec(read(path)) ?? []
      return map !== undefined && !existsSync(join(installed, dirname(path), map))
    })
    expect(broken).toEqual([])
  })
})

function read(path: string): string {
  return readFileSync(join(installed, path), 'utf8')
}
