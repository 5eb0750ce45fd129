import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { PrismaPg } from '@prisma/adapter-pg'

/** A loan that is to be added. */
export interface NewLoan {
  readonly borrower: string
  readonly amount: string
}

interface Loans {
  readonly loan: {
    create(order: { data: NewLoan }): Promise<object>
    findMany(): Promise<readonly { borrower: string; amount: { toString(): string } }[]>
  }
}

/** The part of the generated client that the example uses; in a service, import it from where it is. */
export interface Client extends Loans {
  $transaction(work: (inside: Loans) => Promise<void>): Promise<void>
  $disconnect(): Promise<void>
}

type ClientClass = new (options: { adapter: PrismaPg }) => Client

/** Does what `prisma generate` in a build does, so that the example starts with one command. */
export async function generateClient(): Promise<ClientClass> {
  const cli = createRequire(import.meta.url).resolve('prisma/build/index.js')
  // The generator needs no schema engine, but Prisma would download one unless it is told of a file.
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath }
  const cwd = fileURLToPath(new URL('.', import.meta.url))
  await promisify(execFile)(process.execPath, [cli, 'generate'], { cwd, env })
  const client = new URL('.tenantry/client/client.ts', import.meta.url).href
  const { PrismaClient } = (await import(client)) as { PrismaClient: ClientClass }
  return PrismaClient
}
