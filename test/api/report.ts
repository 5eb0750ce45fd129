import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import ts from 'typescript'
import { BuiltTypes } from './built-types.js'
import { withoutInternals } from './internal.js'
import { type Subpath, subpathsOf } from './subpath.js'

/** What users see of a subpath. */
export interface Report {
  /** Such as `index.d.ts`. */
  readonly name: string
  /** The declarations by their names, without comments: other words are no other types. */
  readonly text: string
  /** Types in the declarations which no subpath exports, so that users cannot name them. */
  readonly unnamed: readonly string[]
}

const printer = ts.createPrinter({ removeComments: true })

/** A report for each subpath of the build in `dist/`. */
export async function reportsOf(root: string): Promise<readonly Report[]> {
  const subpaths = subpathsOf(root)
  const types = new BuiltTypes(subpaths)
  const style = await resolveConfig(join(root, 'package.json'))
  return Promise.all(
    subpaths.map(async (subpath) => {
      const { lines, unnamed } = new Outline(types, subpath)
      const text = await format(lines.join('\n'), { ...style, parser: 'typescript' })
      return { name: subpath.name, text, unnamed }
    }),
  )
}

/** Collects what a subpath exports, and what that refers to. */
class Outline {
  readonly #types: BuiltTypes
  readonly #subpath: string
  readonly #imports = new NamesByModule('import')
  readonly #reexports = new NamesByModule('export')
  readonly #aliases = new Set<string>()
  readonly #declared = new Map<ts.Symbol, string>()
  readonly #names: ReadonlyMap<ts.Symbol, string>

  constructor(types: BuiltTypes, subpath: Subpath) {
    this.#types = types
    this.#subpath = subpath.name
    const exported = [...types.exportsOf(subpath)]
    this.#names = new Map(exported.map(([name, symbol]) => [symbol, name]))
    for (const [name, symbol] of exported) this.#export(name, symbol)
  }

  get lines(): readonly string[] {
    const declared = [...this.#declared].map(([{ name }, text]) => ({ name, text }))
    const isPublic = ({ text }: { text: string }): boolean => text.startsWith('export ')
    const texts = (part: typeof declared): readonly string[] =>
      part.toSorted((one, other) => order(one.name, other.name)).map(({ text }) => `\n${text}`)
    const hidden = declared.filter((one) => !isPublic(one))
    return [
      ...this.#imports.lines,
      '',
      ...this.#reexports.lines,
      ...[...this.#aliases].toSorted(order),
      ...texts(declared.filter(isPublic)),
      ...texts(hidden),
      // Without this line, a file of declarations exports all of them.
      ...(hidden.length > 0 ? ['\nexport {}'] : []),
    ]
  }

  get unnamed(): readonly string[] {
    return [...this.#declared.keys()]
      .filter((symbol) => !this.#names.has(symbol) && !isValue(symbol))
      .map(({ name }) => name)
      .toSorted(order)
  }

  #export(name: string, symbol: ts.Symbol): void {
    const home = this.#types.homeOf(symbol)
    if (home !== undefined && home.subpath !== this.#subpath) {
      this.#reexports.add(moduleOf(home.subpath), renamed(home.name, name))
      return
    }
    this.#declare(symbol)
    if (symbol.name !== name) this.#aliases.add(`export { ${renamed(symbol.name, name)} }`)
  }

  #declare(symbol: ts.Symbol): void {
    if (this.#declared.has(symbol)) return
    const declarations = symbol.declarations ?? []
    const isPublic = this.#names.get(symbol) === symbol.name
    const texts = declarations.map((one) => (isPublic ? 'export ' : '') + textOf(one))
    this.#declared.set(symbol, texts.join('\n'))
    for (const declaration of declarations) this.#refer(declaration)
  }

  #refer(declaration: ts.Declaration): void {
    for (const meaning of this.#types.meaningsIn(declaration)) {
      if (meaning.kind === 'foreign') {
        this.#imports.add(meaning.from, meaning.name)
        continue
      }
      const home = this.#types.homeOf(meaning.symbol)
      if (home === undefined || home.subpath === this.#subpath) this.#declare(meaning.symbol)
      else {
        this.#imports.add(moduleOf(home.subpath), renamed(home.name, meaning.symbol.name))
      }
    }
  }
}

/** Names that are imported from, or exported from, other files. */
class NamesByModule {
  readonly #keyword: string
  readonly #names = new Map<string, Set<string>>()

  constructor(keyword: 'import' | 'export') {
    this.#keyword = keyword
  }

  get lines(): readonly string[] {
    return [...this.#names]
      .toSorted(([one], [other]) => order(one, other))
      .map(([from, names]) => {
        const list = [...names].toSorted(order).join(', ')
        return `${this.#keyword} { ${list} } from '${from}'`
      })
  }

  add(from: string, name: string): void {
    const names = this.#names.get(from) ?? new Set()
    this.#names.set(from, names.add(name))
  }
}

function textOf(declaration: ts.Declaration): string {
  const node = ts.isClassDeclaration(declaration) ? withoutInternals(declaration) : declaration
  const text = printer.printNode(ts.EmitHint.Unspecified, node, declaration.getSourceFile())
  return ts.isVariableDeclaration(declaration) ? `declare const ${text}` : text
}

/** Brands, lists of words and base classes are named by the types made from them. */
function isValue({ declarations = [] }: ts.Symbol): boolean {
  return declarations.every((one) => ts.isVariableDeclaration(one))
}

function moduleOf(name: string): string {
  return `./${name.replace(/\.d\.ts$/, '.js')}`
}

function renamed(from: string, to: string): string {
  return from === to ? from : `${from} as ${to}`
}

function order(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}
