import type { Pool, PoolConfig } from 'pg'

/** The settings of a pool, for one more connection like its own. */
export function configOf({ options }: Pool): PoolConfig {
  // A pool's password and keys are hidden from copies of its options.
  const { password, ssl } = options
  return { ...options, password, ssl }
}
