import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { examples, startService } from './example.js'

/** The examples that serve lenders' loans; each lender has a host of its own. */
const services = examples().filter(({ files }) => files.includes('app.ts'))

describe.each(examples())('examples/$name', ({ name, folder }) => {
  it('tells in few lines by which command it starts', () => {
    const lines = readFileSync(join(folder, 'README.md'), 'utf8').trimEnd().split('\n')
    const command = name === 'lending' ? 'npm run demo' : `npx tsx examples/${name}/main.ts`
    expect(lines.filter((line) => line.includes(command))).not.toEqual([])
    expect(lines.length).toBeLessThanOrEqual(15)
  })
})

describe.each(services)('the service of examples/$name', ({ name }) => {
  it('keeps each lender’s loans apart, and adds all of a request or none', async () => {
    await using service = await startService(name)
    const loans = (slug: string): Promise<unknown> =>
      service.ask(slug, '/loans').then(({ body }): unknown => JSON.parse(body))
    const add = (slug: string, amounts: readonly string[]) =>
      service.ask(
        slug,
        '/loans',
        amounts.map((amount) => ({ borrower: 'Ada', amount })),
      )
    expect(await add('acme', ['900', '100'])).toMatchObject({ status: 201 })
    expect(await add('acme', ['1', '-1'])).toMatchObject({ status: 500 })
    expect(await loans('acme')).toEqual({
      lender: 'Acme Lending',
      loans: ['900.00', '100.00'].map((amount) => ({ borrower: 'Ada', amount })),
    })
    expect(await loans('globex')).toEqual({ lender: 'Globex', loans: [] })
    expect(await service.ask('nobody', '/loans')).toMatchObject({ status: 404 })
  })
})

it('the adapter of examples/custom-adapter serves each host as its tenant', async () => {
  await using service = await startService('custom-adapter')
  const { body } = await service.ask('acme', '/')
  expect(JSON.parse(body)).toEqual({ tenant: 'acme', rows: [{ schema: 'tenant_acme' }] })
  expect(await service.ask('nobody', '/')).toMatchObject({ status: 404 })
})
