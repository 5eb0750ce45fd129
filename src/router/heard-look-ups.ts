import { type Spares, lateSpares } from '../lifecycle/spare/late-spares.js'
import { ChannelListener, type Hearing } from '../postgres/channel-listener.js'
import type { Database } from '../postgres/database.js'
import { LookUps } from '../registry/look-ups.js'
import type { ResolvedOptions } from './options.js'

/** Look-ups that hear what other processes write. */
export interface HeardLookUps {
  readonly lookUps: LookUps
  /** Schemas that are kept ready for new tenants, from the first look-up on. */
  readonly spares: Spares
  /** Ends the connection on which they hear, and what runs in the background. */
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
  const { pool, layout, spareCount, registry, cache } = options
  const spares = lateSpares({ db, layout, pool, count: spareCount })
  const ear = earOf(options, (payload) => lookUps.hear(payload))
  const onLookUp = (): void => {
    ear.start()
    spares.start()
  }
  const lookUps: LookUps = new LookUps({ db, registry, limits: cache, ear, onLookUp })
  const close = async (): Promise<void> => {
    await Promise.all([ear.close(), spares.close()])
  }
  return { lookUps, spares, close }
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
