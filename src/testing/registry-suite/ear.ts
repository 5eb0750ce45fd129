import type { Notification, Pool } from 'pg'
import { quoteIdent } from '../../names/schema-name.js'

/** Hears what is announced on a channel. */
export interface Ear {
  readonly heard: readonly string[]
  /**
   * Does something, and waits until a payload is heard after it has begun.
   *
   * @throws when it is not heard within 10 seconds
   */
  hears(payload: string, work: () => Promise<unknown>): Promise<void>
}

const PATIENCE_MS = 10_000

/** Listens on a channel while `work` runs. */
export async function withEar(
  pool: Pool,
  channel: string,
  work: (ear: Ear) => Promise<void>,
): Promise<void> {
  const client = await pool.connect()
  const heard: string[] = []
  const listeners = new Set<() => void>()
  const hear = ({ payload = '' }: Notification): void => {
    heard.push(payload)
    for (const listener of listeners) listener()
  }
  client.on('notification', hear)
  try {
    await client.query(`listen ${quoteIdent(channel)}`)
    await work({
      heard,
      hears: async (payload, act) => {
        const before = heard.length
        await act()
        await until(listeners, payload, () => heard.slice(before).includes(payload))
      },
    })
  } finally {
    client.off('notification', hear)
    // Its session listens.
    client.release(true)
  }
}

function until(listeners: Set<() => void>, payload: string, isHeard: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer)
      listeners.delete(look)
    }
    const look = (): void => {
      if (!isHeard()) return
      end()
      resolve()
    }
    const timer = setTimeout(() => {
      end()
      reject(new Error(`The registry has not announced ${JSON.stringify(payload)}.`))
    }, PATIENCE_MS)
    listeners.add(look)
    look()
  })
}
