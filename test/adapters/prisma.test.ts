import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { PrismaPg } from '@prisma/adapter-pg'
import { type TenantPrisma, tenantPrisma } from 'tenantry/prisma'
import { type OrmNotes, testOrmAdapter } from 'tenantry/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { useRouter } from './router.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The part of a generated client that is used here. */
interface Client {
  readonly note: {
    create(order: { data: { body: string } }): Promise<{ id: number }>
    findMany(): Promise<{ id: number; body: string }[]>
    findUnique(order: { where: { id: number } }): Promise<{ body: string } | null>
    updateMany(order: { where: { body: string }; data: { body: string } }): Promise<object>
    deleteMany(order: { where: { body: string } }): Promise<object>
  }
  $queryRawUnsafe<R>(text: string): Promise<R[]>
  $disconnect(): Promise<void>
}

interface RootClient extends Client {
  $transaction(work: (tx: Client) => Promise<void>, wait: object): Promise<unknown>
}

type ClientClass = new (options: { adapter: PrismaPg }) => RootClient

const MODEL = `
generator client {
  provider = "prisma-client"
  output   = "./client"
}
datasource db {
  provider = "postgresql"
}
model Note {
  id   Int    @id @default(autoincrement())
  body String
  @@map("notes")
}
`

const folder: { path: string } = { path: '' }
const PATIENCE = { maxWait: 30_000, timeout: 30_000 }

async function generate(name: string, model: string): Promise<ClientClass> {
  const path = join(folder.path, name)
  await mkdir(path)
  await writeFile(join(path, 'schema.prisma'), model)
  // The generator needs no schema engine, but Prisma would download one unless it is told of a file.
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath }
  const prisma = join(ROOT, 'node_modules/prisma/build/index.js')
  const schema = ['--schema', join(path, 'schema.prisma')]
  await promisify(execFile)(process.execPath, [prisma, 'generate', ...schema], { cwd: path, env })
  const url = pathToFileURL(join(path, 'client/client.ts')).href
  const { PrismaClient } = (await import(url)) as { PrismaClient: ClientClass }
  return PrismaClient
}

const opened = useRouter()
const generated: { plain?: ClientClass } = {}

beforeAll(async () => {
  await mkdir(join(ROOT, '.tenantry'), { recursive: true })
  folder.path = await mkdtemp(join(ROOT, '.tenantry/prisma-'))
  generated.plain = await generate('plain', MODEL)
})
afterAll(() => rm(folder.path, { recursive: true }))

function classOf(): ClientClass {
  if (generated.plain !== undefined) return generated.plain
  throw new Error('The client is generated before the first test.')
}

function make(max?: number, Class = classOf()): TenantPrisma<RootClient> {
  return tenantPrisma(
    opened.router,
    (pool, schema) => new Class({ adapter: new PrismaPg(pool, { schema }) }),
    max === undefined ? {} : { max },
  )
}

function notesOf(client: () => Client): OrmNotes {
  return {
    add: async (body) => client().note.create({ data: { body } }),
    bodies: async () => (await client().note.findMany()).map(({ body }) => body),
    change: async (from, body) =>
      client().note.updateMany({ where: { body: from }, data: { body } }),
    remove: async (body) => client().note.deleteMany({ where: { body } }),
    raw: async (text) => client().$queryRawUnsafe<object>(text),
  }
}

describe('Prisma with tenantPrisma', () => {
  // Fewer clients than tenants, so that some are forgotten while they are in use.
  const kept: { prisma?: TenantPrisma<RootClient> } = {}
  afterAll(() => kept.prisma?.close())
  testOrmAdapter({
    test: it,
    open: () => {
      const prisma = (kept.prisma ??= make(4))
      const transaction = async (work: (inside: OrmNotes) => Promise<void>): Promise<unknown> =>
        prisma.current.$transaction((tx) => work(notesOf(() => tx)), PATIENCE)
      const refused = {
        'model with a schema': async (schema: string) => {
          const named = MODEL.replace('@@map("notes")', `@@map("notes")\n  @@schema("${schema}")`)
          const listed = named.replace('"postgresql"', `"postgresql"\n  schemas = ["${schema}"]`)
          return make(1, await generate(schema, listed)).current
        },
      }
      return {
        router: opened.router,
        orm: { ...notesOf(() => prisma.current), transaction, refused },
      }
    },
  })
})

describe('tenantPrisma', () => {
  it('does not put look-ups of different tenants together', async () => {
    const { router } = opened
    const prisma = make()
    const slugs = ['north', 'south', 'west']
    for (const slug of slugs) {
      await router.tenants.create({ slug })
      await router.runAs(slug, async () => {
        await prisma.current.$queryRawUnsafe(
          'create table notes (id serial primary key, body text)',
        )
        await prisma.current.note.create({ data: { body: slug } })
      })
    }
    const found = await Promise.all(
      slugs.map((slug) =>
        router.runAs(slug, async () => prisma.current.note.findUnique({ where: { id: 1 } })),
      ),
    )
    expect(found.map((note) => note?.body)).toEqual(slugs)
    await prisma.close()
  })

  it('answers for the tenant of the client, whatever is ambient', async () => {
    const { router } = opened
    const prisma = make()
    const north = await router.runAs('north', () => [prisma.current] as const)
    const bodies = await router.runAs(
      'south',
      async () => (await north[0].note.findMany())[0]?.body,
    )
    expect(bodies).toBe('north')
    await prisma.close()
  })

  it('keeps no more clients than it is told, those that were asked for last', async () => {
    const { router } = opened
    const prisma = make(2)
    const ask = (slug: string): Promise<readonly RootClient[]> =>
      router.runAs(slug, () => [prisma.current])
    const [north] = await ask('north')
    const [south] = await ask('south')
    expect((await ask('north'))[0]).toBe(north)
    await ask('west')
    expect((await ask('north'))[0]).toBe(north)
    expect((await ask('south'))[0]).not.toBe(south)
    await prisma.close()
  })

  it('refuses a client that is not the tenant’s, and options that it does not know', async () => {
    const { router } = opened
    const Class = classOf()
    const wrong = [
      tenantPrisma(router, () => ({})),
      tenantPrisma(router, (pool) => new Class({ adapter: new PrismaPg(pool) })),
      tenantPrisma(router, (_, schema) => new Class({ adapter: new PrismaPg({}, { schema }) })),
    ]
    for (const prisma of wrong) {
      await expect(router.runAs('north', () => prisma.current)).rejects.toMatchObject({
        code: 'OPTIONS_INVALID',
        option: 'make',
      })
    }
    expect(() => make(0)).toThrow(expect.objectContaining({ option: 'max' }))
  })
})
