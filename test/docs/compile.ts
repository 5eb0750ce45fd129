import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import ts from 'typescript'

// What each block of a page may use without saying where it comes from; it may have one of its own.
const PREAMBLE = "declare global { var router: import('tenantry').SchemaRouter }\nexport {}\n"

/** Compiles blocks of code as files of the repository; says what is wrong with them. */
export function compileErrors(root: string, blocks: readonly string[]): readonly string[] {
  const files = new Map(
    blocks.map((block, index) => [join(root, `block-${index + 1}.mts`), PREAMBLE + block]),
  )
  const options = { ...compilerOptions(root), noUnusedLocals: false, isolatedDeclarations: false }
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
  const preamble = PREAMBLE.split('\n').length - 1
  return `${basename(file?.fileName ?? '')}, line ${line + 1 - preamble}: ${text}`
}
