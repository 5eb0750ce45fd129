import * as harm from './acts/harm.js'
import * as leaving from './acts/leaving.js'
import * as read from './acts/read.js'
import * as stream from './acts/stream.js'
import * as transaction from './acts/transaction.js'
import type { Scene } from './scene.js'

/** One thing that a scope may do. */
export interface Act {
  readonly name: string
  readonly run: (scene: Scene) => Promise<void>
  /** How often it is chosen, compared with the others. */
  readonly weight: number
  /**
   * - `wire`: a client of which the package can speak to the connection (not `pg-native`);
   * - `session`: a session of its own, without a pooler in between that shares it;
   * - `names`: named statements, which a pooler may not know;
   * - `cancel`: a pooler that survives a cancel request whose sender hangs up first;
   * - `reports`: a server that reports its `search_path`, which PostgreSQL does from 18 on.
   */
  readonly needs: readonly Need[]
}

export type Need = 'wire' | 'session' | 'names' | 'cancel' | 'reports'

const EXCEPTIONS: Readonly<Record<string, Partial<Act>>> = {
  plainQuery: { weight: 20 },
  nested: { weight: 8 },
  nestedAmbient: { weight: 6 },
  aborted: { weight: 6, needs: ['cancel'] },
  abortedInStatement: { needs: ['cancel'] },
  // Each costs a connection, which is slow to make.
  killedByItself: { weight: 1 },
  killedFromOutside: { weight: 1, needs: ['session'] },
  connectionReset: { weight: 1, needs: ['wire'] },
  cursorLeftOpen: { weight: 1, needs: ['wire'] },
  textThatBegins: { needs: ['wire'] },
  chainedTransaction: { needs: ['wire'] },
  namedStatement: { needs: ['names'] },
  discards: { needs: ['session', 'names'] },
  makesTemporary: { needs: ['session'] },
  listens: { needs: ['session'] },
  preparesInSql: { needs: ['session'] },
  sessionScope: { needs: ['session'] },
  takesSessionLock: { needs: ['session'] },
  unscopedQuery: { needs: ['session', 'reports'] },
  unsendableValue: { needs: ['wire'] },
}

/** Every act of the storm. */
export const ACTS: readonly Act[] = [
  ...actsOf({ ...read }, 6, []),
  ...actsOf({ ...transaction }, 4, []),
  ...actsOf({ ...stream }, 3, ['wire']),
  ...actsOf({ ...leaving }, 3, []),
  ...actsOf({ ...harm }, 2, []),
].map((act) => ({ ...act, ...EXCEPTIONS[act.name] }))

function actsOf(
  functions: Record<string, Act['run']>,
  weight: number,
  needs: readonly Need[],
): readonly Act[] {
  return Object.entries(functions).map(([name, run]) => ({ name, run, weight, needs }))
}
