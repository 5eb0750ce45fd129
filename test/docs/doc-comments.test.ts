import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, it } from 'vitest'
import { compileErrors } from './compile.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const ENTRIES = [
  'index.ts',
  'migrate.ts',
  'testing/index.ts',
  ...namesIn('src/adapters', false).map((name) => `adapters/${name}`),
].map((name) => join(ROOT, 'src', name))

function namesIn(folder: string, recursive: boolean): readonly string[] {
  const names = readdirSync(join(ROOT, folder), { encoding: 'utf8', recursive })
  return names.filter((name) => name.endsWith('.ts'))
}

/** The code behind each `@example` in the comments of a source. */
function examplesOf(name: string): readonly string[] {
  const source = readFileSync(join(ROOT, 'src', name), 'utf8')
  const blocks = source.matchAll(/^ *\* @example\n((?: *\*(?! @|\/).*\n)+)/gm)
  return [...blocks].map(([, lines = '']) => `// src/${name}\n${lines.replaceAll(/^ *\* ?/gm, '')}`)
}

/** What the package exports, by its entry point and name. */
function exportsOf(checker: ts.TypeChecker, entry: ts.SourceFile | undefined) {
  const module = entry && checker.getSymbolAtLocation(entry)
  return (module ? checker.getExportsOfModule(module) : []).map((symbol) => ({
    name: `${entry?.fileName.slice(ROOT.length)}: ${symbol.name}`,
    symbol: symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
  }))
}

function hasExample(checker: ts.TypeChecker, symbol: ts.Symbol): boolean {
  const members = symbol.flags & ts.SymbolFlags.Class ? [...(symbol.members?.values() ?? [])] : []
  return [symbol, ...members].some((each) =>
    each.getJsDocTags(checker).some(({ name }) => name === 'example'),
  )
}

it('every example in a comment compiles', { timeout: 240_000 }, () => {
  const examples = namesIn('src', true).flatMap(examplesOf)
  expect(examples.length).toBeGreaterThan(70)
  expect(compileErrors(ROOT, examples)).toEqual([])
})

it(
  'every export says what it is, and what can be called has an example',
  { timeout: 240_000 },
  () => {
    const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile)
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT)
    const program = ts.createProgram(ENTRIES, options)
    const checker = program.getTypeChecker()
    const all = ENTRIES.flatMap((name) => exportsOf(checker, program.getSourceFile(name)))
    expect(all.length).toBeGreaterThan(300)
    const silent = all.filter(({ symbol }) => symbol.getDocumentationComment(checker).length === 0)
    expect(silent.map(({ name }) => name)).toEqual([])
    const values = all.filter(({ symbol }) => symbol.flags & ts.SymbolFlags.Value)
    const bare = values.filter(({ symbol }) => !hasExample(checker, symbol))
    expect(bare.map(({ name }) => name)).toEqual([])
  },
)
