import { randomBytes } from 'node:crypto'
import { chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isTenantryError, TenantryError } from '../../errors.js'
import { Keeper, type KeptCommand } from './keeper.js'
import { acceptNameless, isNameless } from './nameless-account.js'
import {
  areUsable,
  copyBinaries,
  findBinaries,
  type PostgresBinaries,
} from './postgres-binaries.js'
import { EXECUTABLE, isReachable, type ServerAccount } from './server-account.js'
import { startEnvironment } from './start-environment.js'

/** What one start of a server works with. */
export interface ServerSession {
  readonly keeper: Keeper
  readonly binaries: PostgresBinaries
  readonly account: ServerAccount | undefined
  /** A private folder, removed at the end. */
  readonly scratch: string
  readonly onLog: ((line: string) => void) | undefined
}

/** What {@link withSession} needs from its caller. */
export interface SessionOptions {
  readonly account: ServerAccount | undefined
  readonly onLog?: ((line: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Lends a session to `start`; when that fails, nothing of the session is left.
 *
 * When it succeeds, the keeper is the caller's to close.
 *
 * @throws `EMBEDDED_POSTGRES_FAILED`, `EMBEDDED_POSTGRES_MISSING`, or the signal's reason.
 */
export async function withSession<T>(
  options: SessionOptions,
  start: (session: ServerSession) => Promise<T>,
): Promise<T> {
  const { account, onLog, signal } = options
  signal?.throwIfAborted()
  const found = await findBinaries()
  const keeper = new Keeper()
  const abort = (): void => void keeper.close()
  signal?.addEventListener('abort', abort)
  try {
    const scratch = await makeScratch(keeper, account)
    const binaries = await prepareBinaries(found, join(scratch, 'postgres'), account)
    const result = await start({ keeper, binaries, account, scratch, onLog })
    signal?.throwIfAborted()
    return result
  } catch (error) {
    await keeper.close()
    signal?.throwIfAborted()
    throw isTenantryError(error) ? error : startFailed(String(error), '', error)
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

/**
 * Runs `initdb` on `data`, an empty or missing folder; the administrator is called `postgres`.
 *
 * @throws `EMBEDDED_POSTGRES_FAILED`
 */
export async function initialise(
  session: ServerSession,
  cluster: { readonly data: string; readonly password: string; readonly flags: readonly string[] },
): Promise<void> {
  const passwordFile = join(session.scratch, 'password')
  await writeFile(passwordFile, `${cluster.password}\n`, { mode: 0o600 })
  await mkdir(cluster.data, { mode: 0o700 })
  await giveAway(session.account, [passwordFile, cluster.data])
  const args = [
    `--pgdata=${cluster.data}`,
    `--pwfile=${passwordFile}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-instructions',
    ...cluster.flags,
  ]
  const run = session.keeper.run(
    commandOf(session, { command: session.binaries.initdb, args, cwd: cluster.data }),
    session.onLog,
  )
  const ended = await run.ended
  await rm(passwordFile, { force: true })
  if (ended !== 'exit code 0') throw startFailed(`initdb: ${ended}`, run.log)
}

/** A command that runs with the session's account. */
export function commandOf(
  session: ServerSession,
  program: { readonly command: string; readonly args: readonly string[]; readonly cwd: string },
): KeptCommand {
  const { command, args, cwd } = program
  return { command, args, options: { cwd, env: startEnvironment(), ...session.account } }
}

/** The error for a server that cannot be started, with the first thing that stopped it. */
export function startFailed(reason: string, log: string, cause?: unknown): TenantryError {
  const fatal = /(?:FATAL|PANIC|initdb: error|ERROR): .*/.exec(log)?.[0]
  const why = fatal === undefined ? reason : `${reason}, ${fatal}`
  // The loader is missing, not the program: its presence was checked before.
  const hint = reason.endsWith('ENOENT') ? ' The programs need glibc, which Alpine lacks.' : ''
  return new TenantryError(
    'EMBEDDED_POSTGRES_FAILED',
    `The embedded PostgreSQL server could not be started (${why}).${hint} Mend that and start it again; the error's \`log\` has the server's last lines.`,
    { log, cause },
  )
}

async function prepareBinaries(
  found: PostgresBinaries,
  copyFolder: string,
  account: ServerAccount | undefined,
): Promise<PostgresBinaries> {
  const nameless = await isNameless(account)
  if (!nameless && (await areUsable(found, account))) return found
  const copied = await copyBinaries(found, copyFolder)
  if (nameless) await acceptNameless(copied)
  return copied
}

async function makeScratch(keeper: Keeper, account: ServerAccount | undefined): Promise<string> {
  const folder = join(
    await findTemporaryFolder(account),
    `tenantry-postgres-${randomBytes(6).toString('hex')}`,
  )
  keeper.own(folder)
  await mkdir(folder, { mode: 0o700 })
  await giveAway(account, [folder])
  return folder
}

// A root shell may have its TMPDIR where no other account can enter.
async function findTemporaryFolder(account: ServerAccount | undefined): Promise<string> {
  const own = tmpdir()
  return (await isReachable(own, account, EXECUTABLE)) ? own : '/tmp'
}

async function giveAway(
  account: ServerAccount | undefined,
  paths: readonly string[],
): Promise<void> {
  if (account === undefined) return
  await Promise.all(paths.map((path) => chown(path, account.uid, account.gid)))
}
