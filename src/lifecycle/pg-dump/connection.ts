import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import type { PoolClient } from 'pg'

/** Variables for a program of PostgreSQL's. */
type Variables = Record<string, string>

/** What of a client's options for TLS libpq has to know. */
interface TlsFacts {
  readonly verifies: boolean
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

/**
 * Lets `work` run a program that connects as the client did. All of it goes by variables, since
 * others can read a command line; certificates are in files that only this user can read, as long as
 * it runs.
 *
 * @see https://www.postgresql.org/docs/current/libpq-envars.html
 */
export async function withConnection<R>(
  client: PoolClient,
  work: (environment: NodeJS.ProcessEnv) => Promise<R>,
): Promise<R> {
  const tls = tlsOf(Reflect.get(client, 'ssl'))
  // What libpq would read of this process is not what the client was given.
  const others = Object.entries(process.env).filter(([name]) => !/^PG[A-Z]/.test(name))
  const environment = { ...Object.fromEntries(others), ...variablesOf(client) }
  if (tls === undefined) return work({ ...environment, PGSSLMODE: 'disable' })
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-tls-'))
  try {
    return await work({ ...environment, ...(await tlsVariables(tls, folder)) })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function variablesOf(client: PoolClient): Variables {
  const { host, port, user, database, password } = client
  const parameters: unknown = Reflect.get(client, 'connectionParameters')
  const values = {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGDATABASE: database,
    // One that is asked for anew at each connection is a text by now.
    PGPASSWORD: password,
    PGOPTIONS: textOf(parameters, 'options'),
  }
  const given = Object.entries(values).flatMap(([name, value]) =>
    typeof value === 'string' && value !== '' ? [[name, value]] : [],
  )
  return Object.fromEntries(given)
}

function tlsOf(ssl: unknown): TlsFacts | undefined {
  if (ssl === undefined || ssl === null || ssl === false) return undefined
  const verifies = typeof ssl !== 'object' || Reflect.get(ssl, 'rejectUnauthorized') !== false
  return { verifies, ca: textOf(ssl, 'ca'), cert: textOf(ssl, 'cert'), key: textOf(ssl, 'key') }
}

/** Node takes a certificate as a text or as bytes, and several as a list. */
function textOf(options: unknown, name: string): string | undefined {
  if (typeof options !== 'object' || options === null) return undefined
  const value: unknown = Reflect.get(options, name)
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value]
  const texts = parts.flatMap((part) => {
    if (typeof part === 'string') return [part]
    return Buffer.isBuffer(part) ? [part.toString()] : []
  })
  return texts.length === 0 ? undefined : texts.join('\n')
}

async function tlsVariables(tls: TlsFacts, folder: string): Promise<Variables> {
  const files = [
    // Without any of its own Node trusts those that it comes with, and libpq none.
    ['PGSSLROOTCERT', tls.verifies ? (tls.ca ?? rootCertificates.join('\n')) : undefined],
    ['PGSSLCERT', tls.cert],
    ['PGSSLKEY', tls.key],
  ] as const
  const variables: Variables = { PGSSLMODE: tls.verifies ? 'verify-full' : 'require' }
  for (const [name, text] of files) {
    if (text === undefined) continue
    const file = join(folder, name)
    await writeFile(file, text, { mode: 0o600 })
    variables[name] = file
  }
  return variables
}
