import { createRequire } from 'node:module'
import { type Attributes, context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { PgInstrumentation, type PgInstrumentationConfig } from '@opentelemetry/instrumentation-pg'
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import type { Pool } from 'pg'
import { SchemaRouter } from 'tenantry'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'

const database = useDatabase()
const exporter = new InMemorySpanExporter()

// The recipe of docs/observability.md.
const recipe: PgInstrumentationConfig = {
  requestHook: (span) => {
    const tenant = router.tryCurrent()
    if (tenant) span.setAttributes({ 'tenant.id': tenant.id, 'tenant.slug': tenant.slug })
  },
}
const instrumentation = new PgInstrumentation(recipe)

let pool: Pool
let router: SchemaRouter
let off: () => void

beforeAll(async () => {
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  provider.register({ contextManager: new AsyncLocalStorageContextManager() })
  off = registerInstrumentations({ instrumentations: [instrumentation] })
  // The instrumentation looks at what is required; the prototype that it patches is the one we have.
  createRequire(import.meta.url)('pg')
  pool = database.pool({ max: 3 })
  router = new SchemaRouter({ pool })
  for (const slug of ['acme', 'zenith']) {
    await router.tenants.create({ slug })
    await router.tenants.get(slug)
  }
})

afterAll(() => {
  off()
  trace.disable()
  context.disable()
})

beforeEach(() => exporter.reset())

/** Runs `fn` inside a span; its own and those below it are told in the order of their end. */
async function inSpan<R>(name: string, fn: () => Promise<R>): Promise<R> {
  return trace.getTracer('test').startActiveSpan(name, async (span) => {
    try {
      return await fn()
    } finally {
      span.end()
    }
  })
}

interface Told {
  readonly sql: string
  readonly tenant: unknown
  readonly parent: string | undefined
}

/** The spans of queries: what was sent, for whom, and below which span of the test. */
function queries(): readonly Told[] {
  const spans = exporter.getFinishedSpans()
  const nameOf = new Map(spans.map((span) => [span.spanContext().spanId, span.name]))
  const told = spans.filter(isQuery).map(({ attributes, parentSpanContext }) => ({
    sql: sqlOf(attributes),
    tenant: attributes['tenant.slug'],
    parent: nameOf.get(parentSpanContext?.spanId ?? ''),
  }))
  // What the router does in the background is below none of them.
  return told.filter(({ parent }) => parent !== undefined)
}

function sqlOf(attributes: Attributes): string {
  return String(attributes['db.statement'] ?? attributes['db.query.text'])
}

/** Queries of the router itself come whenever it has forgotten something. */
function isQuery({ name, attributes }: ReadableSpan): boolean {
  return name.startsWith('pg.query') && !/tenantry_/.test(sqlOf(attributes))
}

describe('instrumentation-pg with scopes', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['withTenant', () => router.withTenant('acme', (db) => db.query('select 1'))],
    ['a value', () => router.withTenant('acme', (db) => db.query('select 1', []))],
    ['router.pool', () => router.runAs('acme', () => router.pool.query('select 1'))],
    ['poolFor', () => router.poolFor('acme').query('select 1')],
  ])('makes one span of each query, with its tenant: %s', async (_way, query) => {
    await inSpan('request', query)
    expect(queries()).toEqual([{ sql: 'select 1', tenant: 'acme', parent: 'request' }])
  })

  it('shows no prelude and no BEGIN, and the COMMIT of a transaction', async () => {
    await inSpan('request', () =>
      router.withTenant(
        'acme',
        async (db) => {
          await db.query('select 1')
          await db.query('select 2')
        },
        { transaction: true },
      ),
    )
    const span = { tenant: 'acme', parent: 'request' }
    expect(queries()).toEqual(['select 1', 'select 2', 'commit'].map((sql) => ({ sql, ...span })))
  })

  it('notes the error of a query on its span', async () => {
    const failing = inSpan('request', () => router.poolFor('acme').query('select nothing'))
    await expect(failing).rejects.toMatchObject({ code: '42703' })
    const [span] = exporter.getFinishedSpans().filter(isQuery)
    expect(span?.status).toEqual({ code: 2, message: 'column "nothing" does not exist' })
  })

  it('gives each of several queries at once the span that it was called in', async () => {
    await router.withTenant('acme', (db) =>
      Promise.all([1, 2, 3].map((n) => inSpan(`span ${n}`, () => db.query(`select ${n}`)))),
    )
    expect(queries()).toEqual(
      [1, 2, 3].map((n) => ({ sql: `select ${n}`, tenant: 'acme', parent: `span ${n}` })),
    )
  })

  it('keeps tenants apart whose clients come from one another', async () => {
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
    for (const client of clients.slice(1)) client.release()
    const [held] = clients
    await Promise.all([
      inSpan('of acme', () => router.runAs('acme', () => router.pool.query('select 1'))),
      inSpan('of zenith', () =>
        router.runAs('zenith', () => {
          const answer = router.pool.query('select 2')
          // Whoever waits first gets this client, and is called back from here.
          held?.release()
          return answer
        }),
      ),
    ])
    expect(queries().toSorted((a, b) => a.sql.localeCompare(b.sql))).toEqual([
      { sql: 'select 1', tenant: 'acme', parent: 'of acme' },
      { sql: 'select 2', tenant: 'zenith', parent: 'of zenith' },
    ])
  })

  it.each<[string, PgInstrumentationConfig]>([
    ['comments', { addSqlCommenterCommentToQueries: true }],
    ['the trace as application_name', { enableTraceContextPropagation: true }],
    ['the values', { enhancedDatabaseReporting: true }],
  ])('keeps each statement in its schema when it adds %s', async (_what, config) => {
    instrumentation.setConfig({ ...recipe, ...config })
    try {
      const sql = 'select current_schema() as schema, $1::int as n'
      const { rows } = await inSpan('request', () => router.poolFor('acme').query(sql, [7]))
      expect(rows).toEqual([{ schema: 'tenant_acme', n: 7 }])
      expect(queries()).toMatchObject([{ sql, tenant: 'acme', parent: 'request' }])
    } finally {
      instrumentation.setConfig(recipe)
    }
  })

  it('leaves the tenant out of what is nobody’s', async () => {
    await inSpan('request', () => pool.query('select 9'))
    expect(queries()).toEqual([{ sql: 'select 9', tenant: undefined, parent: 'request' }])
  })
})
