import type { SpareSchemas } from '../../migration/spares.js'
import type { KeeperParts, SpareKeeper } from './keeper.js'

/** Schemas that are kept ready for new tenants, as the rest of the package sees them. */
export interface Spares extends Pick<SpareKeeper, 'start' | 'close' | 'fill' | 'offer' | 'taken'> {
  /** How many there are to be. */
  readonly count: number
  /** Why they could not be made, until they can. */
  readonly problem: Error | undefined
  /** What runs of migrations see of them; nothing where none are wanted. */
  readonly schemas: SpareSchemas | undefined
}

const NONE: Spares = {
  count: 0,
  problem: undefined,
  schemas: undefined,
  start: () => {},
  close: () => Promise.resolve(),
  fill: () => Promise.resolve(),
  offer: () => Promise.resolve(undefined),
  taken: () => {},
}

/** The spares of a service. Where some are wanted, who keeps them is loaded by the first use. */
export function lateSpares(parts: KeeperParts): Spares {
  if (parts.count === 0) return NONE
  let known: SpareKeeper | undefined
  let loading: Promise<SpareKeeper> | undefined
  const load = async (): Promise<SpareKeeper> => {
    const { SpareKeeper } = await import('./keeper.js')
    return (known = new SpareKeeper(parts))
  }
  const keeper = (): Promise<SpareKeeper> => (loading ??= load())
  return {
    count: parts.count,
    get problem() {
      return known?.problem
    },
    schemas: lateSchemas(parts),
    start: () => void keeper().then((kept) => kept.start()),
    // One that was never asked for is loaded as well: it must not begin after it was closed.
    close: async () => (await keeper()).close(),
    fill: async () => (await keeper()).fill(),
    offer: async (migrations) => (await keeper()).offer(migrations),
    taken: () => void keeper().then((kept) => kept.taken()),
  }
}

function lateSchemas(parts: KeeperParts): SpareSchemas {
  const spares = async (): Promise<SpareSchemas> =>
    (await import('./migrated-spares.js')).migratedSpares(parts)
  return {
    list: async (db) => (await spares()).list(db),
    has: async (db, schema) => (await spares()).has(db, schema),
    drop: async (schema) => (await spares()).drop(schema),
    settle: async (schema, migrations) => (await spares()).settle(schema, migrations),
  }
}
