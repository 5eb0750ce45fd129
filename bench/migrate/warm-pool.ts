import type { Pool } from 'pg'
import { openPool } from '../server.js'

/** A pool whose clients are connected already, so that no connecting is measured. */
export async function openWarmPool(url: string, size: number): Promise<Pool> {
  const pool = openPool(url, size)
  const clients = await Promise.all(Array.from({ length: size }, () => pool.connect()))
  for (const client of clients) client.release()
  return pool
}
