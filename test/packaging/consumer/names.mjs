// What each subpath exports, in both formats.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { exports } = JSON.parse(readFileSync('node_modules/tenantry/package.json', 'utf8'))
const subpaths = Object.keys(exports).filter((subpath) => !subpath.endsWith('.json'))

const names = {}
for (const subpath of subpaths) {
  const name = subpath.replace('.', 'tenantry')
  names[name] = {
    esm: Object.keys(await import(name)).toSorted(),
    cjs: Object.keys(require(name)).toSorted(),
  }
}
console.log(JSON.stringify(names))
