import { ChannelListener, type Hearing } from '../postgres/channel-listener.js'
import type { Database } from '../postgres/database.js'
import { LookUps } from '../registry/look-ups.js'
import type { ResolvedOptions } from './options.js'

/** Look-ups that hear what other processes write. */
export interface HeardLookUps {
  readonly lookUps: LookUps
  /** Ends the connection on which they hear. */
  close(): Promise<void>
}

interface Ear extends Hearing {
  start(): void
  close(): Promise<void>
}

/** Hears nothing, so that nothing is remembered for long. */
const DEAF: Ear = {
  since: Number.POSITIVE_INFINITY,
  until: Number.NEGATIVE_INFINITY,
  start: () => {},
  close: () => Promise.resolve(),
}

/** The look-ups of a router; nothing is connected before the first of them. */
export function heardLookUps(options: ResolvedOptions, db: Database): HeardLookUps {
  const { registry, cache } = options
  const ear = earOf(options, (payload) => lookUps.hear(payload))
  const lookUps: LookUps = new LookUps({ db, registry, limits: cache, ear })
  return { lookUps, close: () => ear.close() }
}

function earOf(
  { pool, registry, cache, leaseRules }: ResolvedOptions,
  onPayload: (payload: string) => void,
): Ear {
  const { channel } = registry
  if (channel === undefined || !cache.listen) return DEAF
  const { connectionString } = cache
  const { poolerKeepsSession } = leaseRules
  return new ChannelListener({ pool, connectionString, channel, onPayload, poolerKeepsSession })
}
