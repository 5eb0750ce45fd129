import ts from 'typescript'

/** Whether a member is the package's own affair, by its comment. */
export function isInternal(node: ts.Node): boolean {
  return ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal')
}

/** A class as its users may use it; an internal constructor is for classes of the package. */
export function withoutInternals(node: ts.ClassDeclaration): ts.ClassDeclaration {
  const { modifiers, name, typeParameters, heritageClauses } = node
  const members = node.members.flatMap((member) => {
    if (!isInternal(member)) return [member]
    if (!ts.isConstructorDeclaration(member)) return []
    const hidden = ts.factory.createModifier(ts.SyntaxKind.ProtectedKeyword)
    return [ts.factory.createConstructorDeclaration([hidden], [], undefined)]
  })
  return ts.factory.updateClassDeclaration(
    node,
    modifiers,
    name,
    typeParameters,
    heritageClauses,
    members,
  )
}
