// A lending service with 50 lenders, each in a schema of its own: run it with `npm run demo`.
import { Pool } from 'pg'
import { SchemaRouter } from 'tenantry'
import { tenantryIn } from './steps/command-line.js'
import { openDatabase } from './steps/database.js'
import { showLenders, showGrowth, showScopes } from './steps/show-lenders.js'
import { duration, result, step } from './steps/narration.js'
import { showRollouts } from './steps/show-rollouts.js'
import { withWorkspace } from './steps/workspace.js'
import config from './tenantry.config.js'

const began = performance.now()
step('PostgreSQL')
const database = await openDatabase()
result(`PostgreSQL ${database.version}: ${database.origin}`)

try {
  await withWorkspace(async (folder) => {
    // The paths of the configuration begin at the service's folder, where a service is started.
    process.chdir(folder)
    const pool = new Pool({ connectionString: database.url })
    const router = SchemaRouter.fromConfig({ ...config, pool })
    try {
      await showLenders(router)
      await showScopes(router)
      await showGrowth(router)
      await showRollouts({ router, folder, tenantry: tenantryIn(folder, database.url) })
    } finally {
      await router.close()
      await pool.end()
    }
  })
} finally {
  await database.stop()
}

console.log(`\nDone in ${duration(performance.now() - began)}.`)
console.log('Next: read examples/lending/steps, or run "npx tenantry init" in a project of yours.')
