import { dirname } from 'node:path'
import ts from 'typescript'
import { isInternal } from './internal.js'
import type { Subpath } from './subpath.js'

/** Where a name is exported first: what other subpaths say of it refers to there. */
export interface Home {
  readonly subpath: string
  readonly name: string
}

/** What a name in a declaration stands for: a declaration of the build, or one of another package. */
export type Meaning =
  | { readonly kind: 'own'; readonly symbol: ts.Symbol }
  | { readonly kind: 'foreign'; readonly from: string; readonly name: string }

/** The declarations of the build. What they are called in shared files, whose names change, is seen through. */
export class BuiltTypes {
  readonly #program: ts.Program
  readonly #checker: ts.TypeChecker
  readonly #folders: ReadonlySet<string>
  readonly #homes = new Map<ts.Symbol, Home>()

  constructor(subpaths: readonly Subpath[]) {
    const files = subpaths.map(({ types }) => types)
    this.#folders = new Set(files.map((file) => dirname(file)))
    this.#program = ts.createProgram(files, {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      noEmit: true,
      strict: true,
      types: [],
    })
    this.#checker = this.#program.getTypeChecker()
    for (const subpath of subpaths) {
      for (const [name, symbol] of this.exportsOf(subpath)) {
        if (!this.#homes.has(symbol)) this.#homes.set(symbol, { subpath: subpath.name, name })
      }
    }
  }

  exportsOf({ types }: Subpath): ReadonlyMap<string, ts.Symbol> {
    const file = this.#program.getSourceFile(types)
    const module = file && this.#checker.getSymbolAtLocation(file)
    if (module === undefined) throw new Error(`${types} is missing: run "npm run build".`)
    return new Map(
      this.#checker.getExportsOfModule(module).map((symbol): [string, ts.Symbol] => {
        const target = this.#targetOf(symbol)
        if (this.#isOwn(target)) return [symbol.name, target]
        throw new Error(`${types} exports ${symbol.name} of another package.`)
      }),
    )
  }

  homeOf(symbol: ts.Symbol): Home | undefined {
    return this.#homes.get(symbol)
  }

  /** What the names in a declaration stand for, but for members, parameters, internals and what the language has. */
  meaningsIn(node: ts.Node): readonly Meaning[] {
    const own = ts.isIdentifier(node) ? this.#meaningOf(node) : undefined
    const inner: Meaning[] = own === undefined ? [] : [own]
    ts.forEachChild(node, (child) => {
      if (!isInternal(child)) inner.push(...this.meaningsIn(child))
    })
    return inner
  }

  #meaningOf(name: ts.Identifier): Meaning | undefined {
    const symbol = this.#checker.getSymbolAtLocation(name)
    if (symbol === undefined) return undefined
    const specifier = symbol.declarations?.find(ts.isImportSpecifier)
    const from = specifier?.parent.parent.parent.moduleSpecifier
    if (specifier !== undefined && from !== undefined && ts.isStringLiteral(from)) {
      if (!from.text.startsWith('.')) {
        return { kind: 'foreign', from: from.text, name: specifier.getText() }
      }
    }
    const target = this.#targetOf(symbol)
    return this.#isOwn(target) ? { kind: 'own', symbol: target } : undefined
  }

  #targetOf(symbol: ts.Symbol): ts.Symbol {
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0
    return isAlias ? this.#checker.getAliasedSymbol(symbol) : symbol
  }

  #isOwn({ declarations = [] }: ts.Symbol): boolean {
    return declarations.some((declaration) => {
      const statement = ts.isVariableDeclaration(declaration)
        ? declaration.parent.parent
        : declaration
      return (
        ts.isSourceFile(statement.parent) && this.#folders.has(dirname(statement.parent.fileName))
      )
    })
  }
}
