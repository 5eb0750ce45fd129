import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import ts from 'typescript'

/** What each block of a page may use without saying where it comes from. */
const PREAMBLE = "declare const router: import('tenantry').SchemaRouter; export {}\n"
/** The same for a block that shows options of the router, and makes one. */
const OPTIONS_PREAMBLE =
  "import { SchemaRouter } from 'tenantry'; declare const pool: import('pg').Pool, connectionString: string\n"

function preambleOf(block: string): string {
  if (!/\bconst router =/.test(block)) return PREAMBLE
  return block.includes("from 'tenantry'") ? 'export {}\n' : OPTIONS_PREAMBLE
}

/** A module that blocks import, and that a tool would have made in a service. */
const GENERATED = {
  'generated/client.ts':
    'export declare class PrismaClient {' +
    ' constructor(options: { adapter: object });' +
    ' readonly loan: { findMany(): Promise<{ item: string }[]> } }',
}

/** Compiles blocks of code as files of the repository; says what is wrong with them. */
export function compileErrors(root: string, blocks: readonly string[]): readonly string[] {
  const names = blocks.map((_, index) => join(root, `block-${index + 1}.mts`))
  const files = new Map([
    ...blocks.map((block, index): [string, string] => [
      names[index] ?? '',
      preambleOf(block) + block,
    ]),
    ...Object.entries(GENERATED).map(([name, text]): [string, string] => [join(root, name), text]),
  ])
  const options = {
    ...compilerOptions(root),
    noUnusedLocals: false,
    isolatedDeclarations: false,
    noPropertyAccessFromIndexSignature: false,
  }
  const program = ts.createProgram([...files.keys()], options, hostWith(files, options))
  // What is wrong in the source itself is told by `npm run typecheck`.
  return [...files.keys()].flatMap((name) =>
    ts.getPreEmitDiagnostics(program, program.getSourceFile(name)).map(sentence),
  )
}

function compilerOptions(root: string): ts.CompilerOptions {
  const text = readFileSync(join(root, 'tsconfig.json'), 'utf8')
  const { config } = ts.parseConfigFileTextToJson('tsconfig.json', text) as { config: object }
  // The blocks are the only files; what they import is found from there.
  return ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root).options
}

function hostWith(
  files: ReadonlyMap<string, string>,
  options: ts.CompilerOptions,
): ts.CompilerHost {
  const host = ts.createCompilerHost(options)
  return {
    ...host,
    directoryExists: () => true,
    fileExists: (name) => files.has(name) || host.fileExists(name),
    readFile: (name) => files.get(name) ?? host.readFile(name),
    getSourceFile: (name, target, ...rest) => {
      const text = files.get(name)
      return text === undefined
        ? host.getSourceFile(name, target, ...rest)
        : ts.createSourceFile(name, text, target)
    },
  }
}

function sentence({ file, start, messageText }: ts.Diagnostic): string {
  const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line
  const text = ts.flattenDiagnosticMessageText(messageText, '\n')
  // The preamble is one line.
  return `${basename(file?.fileName ?? '')}, line ${line}: ${text}`
}
