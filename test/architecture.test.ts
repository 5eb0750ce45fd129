import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const SRC = fileURLToPath(new URL('../src', import.meta.url))
const MAX_LINES = 250

/** Folders of `src/` from the ground up; a file may import from its own floor and from below. */
const FLOORS: readonly (readonly string[])[] = [
  ['errors.ts', 'names', 'support'],
  ['postgres', 'diagnostics'],
  ['scope', 'registry', 'selector'],
  ['migration', 'lifecycle'],
  ['router', 'index.ts', 'migrate.ts'],
  ['adapters', 'testing'],
  ['cli'],
]
const FORBIDDEN_NAMES = /^(utils?|helpers?|common|lib|misc)(\.ts)?$/

interface Import {
  readonly file: string
  readonly to: string
  readonly typeOnly: boolean
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(SRC, name))

function importsOf(file: string): Import[] {
  const source = readFileSync(file, 'utf8')
  const pattern =
    /(?:^(?:import|export)\s+(type\s)?(?:[^'"]*?\sfrom\s+)?|\bimport\()['"]([^'"]+)['"]/gm
  return [...source.matchAll(pattern)].map(([, type, to = '']) => ({
    file,
    to,
    typeOnly: type !== undefined,
  }))
}

function folderOf(file: string): string {
  return relative(SRC, file).split('/')[0] ?? ''
}

function floorOf(file: string): number {
  return FLOORS.findIndex((folders) => folders.includes(folderOf(file)))
}

function target({ file, to }: Import): string {
  return resolve(dirname(file), to).replace(/\.js$/, '.ts')
}

const imports = files.flatMap(importsOf)
const own = imports.filter(({ to }) => to.startsWith('.'))
const show = (found: Import): string => `${relative(SRC, found.file)} → ${found.to}`

describe('src', () => {
  it('puts every file on a floor', () => {
    expect(files.filter((file) => floorOf(file) === -1)).toEqual([])
    expect(own.length).toBeGreaterThan(50)
  })

  it('never imports from a floor above', () => {
    const upward = own.filter((found) => floorOf(target(found)) > floorOf(found.file))
    expect(upward.map(show)).toEqual([])
  })

  it('shares only types between scope, registry and selector', () => {
    const floor = FLOORS[2] ?? []
    const sideways = own.filter(
      (found) =>
        floor.includes(folderOf(found.file)) &&
        floor.includes(folderOf(target(found))) &&
        folderOf(found.file) !== folderOf(target(found)) &&
        !found.typeOnly,
    )
    expect(sideways.map(show)).toEqual([])
  })

  it('lets no adapter import another one', () => {
    // An adapter is a file of the folder; what several have in common is in folders below.
    const isAdapter = (file: string): boolean => dirname(relative(SRC, file)) === 'adapters'
    const sideways = own.filter((found) => isAdapter(found.file) && isAdapter(target(found)))
    expect(sideways.map(show)).toEqual([])
  })

  it('lets the command line import the package only by its name', () => {
    const inside = own.filter(
      (found) => folderOf(found.file) === 'cli' && folderOf(target(found)) !== 'cli',
    )
    expect(inside.map(show)).toEqual([])
  })

  it('imports Node’s modules with their prefix', () => {
    const bare = imports.filter(({ to }) => /^(fs|path|url|crypto|child_process|net|os)\b/.test(to))
    expect(bare.map(show)).toEqual([])
  })

  it('has no file over 250 lines', () => {
    const long = files.filter(
      (file) => readFileSync(file, 'utf8').split('\n').length > MAX_LINES + 1,
    )
    expect(long).toEqual([])
  })

  it('has no any and no non-null assertion', () => {
    const loose = files.filter((file) =>
      /(:|<|\bas)\s*any\b|[\w)\]]!(\.|\[|;|,|\)|$)/m.test(
        withoutComments(readFileSync(file, 'utf8')),
      ),
    )
    expect(loose).toEqual([])
  })

  it('names no file or folder after nothing', () => {
    const vague = files.filter((file) =>
      relative(SRC, file)
        .split('/')
        .some((part) => FORBIDDEN_NAMES.test(part)),
    )
    expect(vague).toEqual([])
  })
})

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[^]*?\*\/|\/\/[^\n]*/g, '')
}
