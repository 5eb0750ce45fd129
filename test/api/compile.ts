import ts from 'typescript'

/** What the compiler has against files of declarations, read as a project of users reads them. */
export function compileErrors(files: readonly string[]): readonly string[] {
  const program = ts.createProgram(files, {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    noEmit: true,
    strict: true,
    types: ['node'],
  })
  const diagnostics = files.flatMap((file) => [
    ...ts.getPreEmitDiagnostics(program, program.getSourceFile(file)),
  ])
  return diagnostics.map(({ file, start, messageText }) => {
    const line = file?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0
    return `${file?.fileName ?? ''}:${line + 1} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}
