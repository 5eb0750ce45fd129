import type { PoolClient } from 'pg'
import { cancelStatement } from './cancel.js'
import type { Database } from './database.js'

/** How long work may run on before it is cancelled once more: it may just have been between two. */
const AGAIN_MS = 200

/** The same database, on which the server is told to cancel what runs as soon as `signal` is aborted. */
export function cancellable(db: Database, signal: AbortSignal | undefined): Database {
  if (signal === undefined) return db
  const during = <R>(work: (client: PoolClient) => Promise<R>) => {
    return (client: PoolClient): Promise<R> => whileCancellable(client, signal, work)
  }
  return {
    ...db,
    lend: (work) => db.lend(during(work)),
    session: (prelude, work) => db.session(prelude, during(work)),
    transaction: (work) => db.transaction(during(work)),
  }
}

async function whileCancellable<R>(
  client: PoolClient,
  signal: AbortSignal,
  work: (client: PoolClient) => Promise<R>,
): Promise<R> {
  signal.throwIfAborted()
  let cancelling: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  const cancel = (): void => {
    cancelling = cancelling.then(() => cancelStatement(client))
  }
  const onAbort = (): void => {
    cancel()
    timer = setInterval(cancel, AGAIN_MS)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await work(client)
  } finally {
    signal.removeEventListener('abort', onAbort)
    clearInterval(timer)
    // Whoever has the client next must not be cancelled instead.
    await cancelling
  }
}
