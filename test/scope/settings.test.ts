import { randomBytes } from 'node:crypto'
import { escapeIdentifier } from 'pg'
import { type ScopeConfig, type ScopeSubject, select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type Fleet, type Lender, bodies, fleet } from '../support/lenders.js'
import { WAYS } from './way.js'

const database = useDatabase()

const TENANT = `select nullif(current_setting('app.tenant', true), '') as tenant`

function withSettings(settings: ScopeConfig['settings']): Promise<Fleet> {
  return fleet(database, { pool: { max: 1 }, ...(settings && { scope: { settings } }) })
}

/** Roles belong to the whole server, so each test has one of its own. */
async function withRole<R>(fn: (role: string) => Promise<R>): Promise<R> {
  const role = `tenantry_role_${randomBytes(4).toString('hex')}`
  await database.admin.query(`create role ${role}`)
  try {
    return await fn(role)
  } finally {
    await database.admin.query(`drop owned by ${role}; drop role ${role}`)
  }
}

async function mayRead(role: string, { schema }: Lender): Promise<void> {
  const name = escapeIdentifier(schema)
  await database.admin.query(
    `grant usage on schema ${name} to ${role}; grant select on ${name}.notes to ${role}`,
  )
}

describe.each(WAYS)('scope.settings through $name', ({ run }) => {
  it('are there for the statement, and gone for unscoped use of the same client', async () => {
    const made = await withSettings(({ tenant }) => ({ 'app.tenant': tenant?.slug ?? '' }))
    const { acme, beta, pool } = made
    for (const lender of [acme, beta, acme]) {
      const { rows } = await run(made, lender, (db) => db.query(TENANT))
      expect(rows).toEqual([{ tenant: lender.slug }])
      expect((await pool.query(TENANT)).rows).toEqual([{ tenant: null }])
    }
    expect(pool.totalCount).toBe(1)
  })

  it('are there for a statement with values', async () => {
    const made = await withSettings(({ schema }) => ({ 'app.tenant': schema }))
    const { rows } = await run(made, made.acme, (db) =>
      db.query('select current_setting($1) as tenant', ['app.tenant']),
    )
    expect(rows).toEqual([{ tenant: made.acme.schema }])
  })

  it('may be more than a function of the server takes arguments', async () => {
    const names = Array.from({ length: 250 }, (_, at) => `app.setting_${at}`)
    const made = await withSettings(({ schema }) =>
      Object.fromEntries(names.map((name) => [name, schema])),
    )
    const { acme, beta, pool } = made
    const text = `select count(*)::int as held from unnest($1::text[]) as name
      where current_setting(name) = current_schema()`
    for (const lender of [acme, beta, acme]) {
      const { rows } = await run(made, lender, (db) => db.query(text, [names]))
      expect(rows).toEqual([{ held: names.length }])
    }
    const left = await pool.query(TENANT.replace('app.tenant', 'app.setting_249'))
    expect(left.rows).toEqual([{ tenant: null }])
  })

  it('run a statement as a role, which may do what it may and no more', async () => {
    await withRole(async (role) => {
      const made = await withSettings(() => ({ role }))
      const { acme, pool } = made
      await mayRead(role, acme)
      const { rows } = await run(made, acme, (db) =>
        db.query('select current_user::text as role, body from notes'),
      )
      expect(rows).toEqual([{ role, body: acme.schema }])
      const denied = run(made, acme, (db) => db.query(`insert into notes (body) values ('b')`))
      await expect(denied).rejects.toMatchObject({ code: '42501' })
      expect(await bodies(database, acme.schema)).toEqual([acme.schema])
      const unscoped = await pool.query('select current_user = session_user as own')
      expect(unscoped.rows).toEqual([{ own: true }])
    })
  })

  it('limit how long a statement may run', async () => {
    const made = await withSettings(() => ({ statement_timeout: '50ms' }))
    const { acme, pool } = made
    const texts: readonly [string, unknown[] | undefined][] = [
      ['select pg_sleep(60)', undefined],
      ['select pg_sleep($1)', [60]],
    ]
    for (const [text, values] of texts) {
      const tooLong = run(made, acme, (db) => db.query(text, values))
      await expect(tooLong).rejects.toMatchObject({ code: '57014' })
    }
    expect((await pool.query('show statement_timeout')).rows).toEqual([{ statement_timeout: '0' }])
  })

  it.each([
    ['a role that does not exist', { role: 'tenantry_nobody' }, '22023'],
    ['a parameter that does not exist', { no_such_parameter: '1' }, '42704'],
    ['a value that cannot be', { statement_timeout: 'soon' }, '22023'],
    ['a name that is none', { 'a"; drop table notes; --': '1' }, '42704'],
  ])('fail for %s before the statement is run', async (_, settings, code) => {
    const made = await withSettings(() => settings)
    const { acme, pool } = made
    for (const values of [undefined, []]) {
      const refused = run(made, acme, (db) =>
        db.query(`insert into notes (body) values ('b')`, values),
      )
      await expect(refused).rejects.toMatchObject({ code })
    }
    expect(await bodies(database, acme.schema)).toEqual([acme.schema])
    expect(await bodies(database, 'public')).toEqual(['public'])
    await expect.poll(() => pool.idleCount).toBe(pool.totalCount)
  })

  it.each([`'`, `"`, `\\`, '$1', `'; drop table notes; --`, `$$`, 'ü€😀', ' ', 'a\nb'])(
    'carry %j as it is',
    async (value) => {
      const made = await withSettings(() => ({ 'app.tenant': value }))
      const { rows } = await run(made, made.acme, (db) =>
        db.query(`select current_setting('app.tenant') as tenant, body from notes`),
      )
      expect(rows).toEqual([{ tenant: value, body: made.acme.schema }])
    },
  )
})

describe('scope.settings', () => {
  it('fail before several statements are run', async () => {
    const made = await withSettings(() => ({ role: 'tenantry_nobody' }))
    const { router, acme, pool } = made
    const text = `insert into notes (body) values ('b'); select 1`
    const refused = router.withTenant(acme.slug, (db) => db.query(text))
    await expect(refused).rejects.toMatchObject({ code: '22023' })
    expect(await bodies(database, acme.schema)).toEqual([acme.schema])
    expect(pool.idleCount).toBe(pool.totalCount)
  })

  it('are asked for with the schema, its kind and its tenant', async () => {
    const subjects: ScopeSubject[] = []
    const made = await withSettings((subject) => {
      subjects.push(subject)
      return {}
    })
    await made.router.withTenant(made.acme.slug, (db) => db.query('select 1'))
    await made.router.withSchema('public', (db) => db.query('select 1'))
    expect(subjects).toEqual([
      {
        schema: made.acme.schema,
        kind: 'tenant',
        tenant: expect.objectContaining({ slug: made.acme.slug, status: 'active' }),
      },
      { schema: 'public', kind: 'shared', tenant: undefined },
    ])
  })

  it('hold for a whole transaction, and end with it', async () => {
    const made = await withSettings(({ tenant }) => ({ 'app.tenant': tenant?.slug ?? '' }))
    const answers = await made.router.withTenant(
      made.acme.slug,
      async (db) => [await db.query(TENANT), await db.query(TENANT)],
      { transaction: true },
    )
    const { slug } = made.acme
    expect(answers.map(({ rows }) => rows)).toEqual([[{ tenant: slug }], [{ tenant: slug }]])
    expect((await made.pool.query(TENANT)).rows).toEqual([{ tenant: null }])
  })

  it('are there again for what follows the caller’s own transaction', async () => {
    const made = await withSettings(({ tenant }) => ({ 'app.tenant': tenant?.slug ?? '' }))
    const answers = await made.router.withTenant(made.acme.slug, async (db) => {
      await db.query('begin')
      const inside = await db.query(TENANT)
      await db.query('rollback')
      return [inside, await db.query(TENANT)]
    })
    const { slug } = made.acme
    expect(answers.map(({ rows }) => rows)).toEqual([[{ tenant: slug }], [{ tenant: slug }]])
  })

  it('hold for a session scope, and are put back at its end', async () => {
    const made = await withSettings(({ tenant }) => ({
      'app.tenant': tenant?.slug ?? '',
      statement_timeout: '30s',
    }))
    const { router, pool, acme } = made
    const before = await pool.query('show statement_timeout')
    const answers = await router.withTenant(
      acme.slug,
      async (db) => [await db.query(TENANT), await db.query('show statement_timeout')],
      { scope: 'session' },
    )
    expect(answers.map(({ rows }) => rows)).toEqual([
      [{ tenant: acme.slug }],
      [{ statement_timeout: '30s' }],
    ])
    expect((await pool.query(TENANT)).rows).toEqual([{ tenant: null }])
    expect((await pool.query('show statement_timeout')).rows).toEqual(before.rows)
  })

  it('ride with router.each as well', async () => {
    const made = await withSettings(({ schema }) => ({ 'app.tenant': schema }))
    const seen: unknown[] = []
    const { acme, beta } = made
    await made.router.each(select.names(acme.schema, beta.schema), async (db) => {
      seen.push((await db.query(TENANT)).rows)
    })
    expect(seen).toEqual([[{ tenant: acme.schema }], [{ tenant: beta.schema }]])
  })
})
