import { SchemaRouter, select } from 'tenantry'
import { beforeAll } from 'vitest'
import { useDatabase } from '../support/database.js'

/** A router on the test file's own database, with as few clients as the ORMs are tested with. */
export function useRouter(): { readonly router: SchemaRouter } {
  const database = useDatabase()
  const opened: { router?: SchemaRouter } = {}
  beforeAll(async () => {
    opened.router = new SchemaRouter({ pool: database.pool({ max: 5 }) })
    await opened.router.migrations.up({ select: select.shared() })
  })
  return {
    get router() {
      if (opened.router === undefined) throw new Error('The router is made before the first test.')
      return opened.router
    },
  }
}
