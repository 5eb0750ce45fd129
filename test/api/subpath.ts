import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** A subpath of the package, as its users import it. */
export interface Subpath {
  /** The name of its file of types, such as `index.d.ts`. */
  readonly name: string
  /** Where the build has put that file. */
  readonly types: string
}

interface Manifest {
  readonly exports: Readonly<
    Record<string, string | { readonly import: { readonly types: string } }>
  >
}

/** The subpaths that have types, in the order of the manifest. */
export function subpathsOf(root: string): readonly Subpath[] {
  const { exports }: Manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return Object.values(exports).flatMap((target) =>
    typeof target === 'string'
      ? []
      : [{ name: basename(target.import.types), types: join(root, target.import.types) }],
  )
}
