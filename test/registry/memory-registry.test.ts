import { memoryRegistry } from 'tenantry/testing'
import { describe, expect, it } from 'vitest'
import { parseDomain } from '../../src/names/domain-name.js'
import { parseSchemaName } from '../../src/names/schema-name.js'
import { parseSlug } from '../../src/names/slug.js'
import { useDatabase } from '../support/database.js'

const database = useDatabase()
const [acme, beta] = [parseSlug('acme'), parseSlug('beta')]

describe('memoryRegistry', () => {
  it('changes one of several domains, and leaves the others', async () => {
    const registry = memoryRegistry()
    const { admin } = database
    await registry.install(admin)
    for (const slug of [beta, acme]) {
      const schema = parseSchemaName(`tenant_${slug}`)
      await registry.insert(admin, { slug, name: slug, schema, metadata: {} })
      for (const host of ['b.test/path', 'b.test', 'a.test']) {
        const domain = { ...parseDomain(host), primary: false, verified: false }
        await registry.addDomain(admin, slug, domain)
      }
    }
    await registry.verifyDomain(admin, beta, parseDomain('b.test'))
    await registry.removeDomain(admin, acme, parseDomain('b.test/path'))
    const listed = await registry.listDomains?.(admin)
    expect(
      listed?.map(({ tenant, host, path, verified }) => [host + path, tenant, verified]),
    ).toEqual([
      ['a.test', 'acme', false],
      ['a.test', 'beta', false],
      ['b.test', 'acme', false],
      ['b.test', 'beta', true],
      ['b.test/path', 'beta', false],
    ])
    const nobody = parseDomain('nobody.test')
    expect(await registry.verifyDomain(admin, acme, nobody)).toBeUndefined()
    expect(await registry.removeDomain(admin, acme, nobody)).toBe(false)
  })
})
