import { Writable } from 'node:stream'
import { pino } from 'pino'
import { SchemaRouter } from 'tenantry'
import { beforeAll, describe, expect, it } from 'vitest'
import winston from 'winston'
import { useDatabase } from '../support/database.js'

const database = useDatabase()
let router: SchemaRouter

beforeAll(async () => {
  router = new SchemaRouter({
    pool: database.pool(),
    scope: { settings: ({ schema }) => ({ application_name: `app ${schema}` }) },
  })
  await router.tenants.create({ slug: 'acme' })
})

/** A stream of log lines, and what was written to it. */
function sink(): { readonly stream: Writable; readonly lines: unknown[] } {
  const lines: unknown[] = []
  const write: Writable['_write'] = (chunk, _encoding, done) => {
    const { level, tenant, msg, message } = JSON.parse(String(chunk)) as Record<string, unknown>
    lines.push({ level, tenant, text: msg ?? message })
    done()
  }
  return { stream: new Writable({ write }), lines }
}

describe('the tenant on log lines', () => {
  it('is there with the mixin for pino', async () => {
    const { stream, lines } = sink()
    const log = pino({ mixin: () => ({ tenant: router.tryCurrent()?.slug }) }, stream)
    log.info('before')
    await router.withTenant('acme', () => log.info('inside'))
    expect(lines).toEqual([
      { level: 30, tenant: undefined, text: 'before' },
      { level: 30, tenant: 'acme', text: 'inside' },
    ])
  })

  it('is there with the format for winston', async () => {
    const { stream, lines } = sink()
    const withTenant = winston.format((info) => {
      const tenant = router.tryCurrent()?.slug
      return tenant === undefined ? info : { ...info, tenant }
    })
    const log = winston.createLogger({
      format: winston.format.combine(withTenant(), winston.format.json()),
      transports: [new winston.transports.Stream({ stream })],
    })
    log.info('before')
    await router.withTenant('acme', () => log.info('inside'))
    expect(lines).toEqual([
      { level: 'info', tenant: undefined, text: 'before' },
      { level: 'info', tenant: 'acme', text: 'inside' },
    ])
  })
})

describe('the tenant as application_name', () => {
  it('shows in pg_stat_activity while its statement runs, and is gone afterwards', async () => {
    const sql = `select application_name as name from pg_stat_activity where pid = pg_backend_pid()`
    const inside = await router.poolFor('acme').query(sql)
    expect(inside.rows).toEqual([{ name: 'app tenant_acme' }])
    const { rows } = await database.admin.query(
      'select from pg_stat_activity where datname = current_database() and application_name ~ $1',
      ['^app '],
    )
    expect(rows).toEqual([])
  })
})
