import { randomBytes } from 'node:crypto'

/**
 * What the names of prepared statements begin with. It differs between copies of the package, such
 * as its ES module and its CommonJS one, which may share a pool and know nothing of each other.
 */
export const STATEMENT_PREFIX: string = `tenantry_${randomBytes(3).toString('hex')}_`
