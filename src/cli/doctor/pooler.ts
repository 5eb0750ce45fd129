import type { ClientBase } from 'pg'
import { type Check, type DoctorFinding, type Patient, rowOf } from './finding.js'

type Mode = 'none' | 'transaction' | 'session' | 'statement'

/** Somebody else's work may be lent the server's process in between. */
const ATTEMPTS = 3

/** Whether something hands connections around in between, and whether the configuration knows. */
export const pooler: Check = async (patient) => {
  const mode = await modeOf(patient)
  const isSaid = patient.config.scope?.pooler === 'session'
  return { check: 'pooler', ...FINDINGS[mode](isSaid) }
}

/**
 * How connections are handed around.
 *
 * A pooler tells its clients a process id that is not the server's. In transaction mode, a second
 * client is lent the server's process that the first one has just let go of; in session mode that
 * cannot be while the first one is connected.
 *
 * @see https://www.pgbouncer.org/features.html
 */
async function modeOf({ client, withClient }: Patient): Promise<Mode> {
  const told = 'processID' in client ? client.processID : undefined
  let isLent = false
  for (let attempt = 1; attempt <= ATTEMPTS && !isLent; attempt += 1) {
    const own = await backendOf(client)
    if (told === undefined || told === own) return 'none'
    isLent = (await withClient(backendOf)) === own
  }
  if (!isLent) return 'session'
  return (await withClient(mayBegin)) ? 'transaction' : 'statement'
}

async function backendOf(client: ClientBase): Promise<number> {
  return Number((await rowOf<{ pid: string }>(client, 'select pg_backend_pid() as pid')).pid)
}

function mayBegin(client: ClientBase): Promise<boolean> {
  return client
    .query('begin')
    .then(() => client.query('rollback'))
    .then(
      () => true,
      () => false,
    )
}

type Judgement = Omit<DoctorFinding, 'check'>

const FINDINGS: Readonly<Record<Mode, (isSaid: boolean) => Judgement>> = {
  none: () => ({ level: 'fine', message: 'no pooler in between' }),
  transaction: (isSaid) => {
    const message = 'a pooler in transaction mode in between'
    if (!isSaid) return { level: 'fine', message }
    return {
      level: 'error',
      message: `${message}, and the configuration says session mode`,
      advice:
        "Take scope: { pooler: 'session' } out, or tenants' paths stay on what others are lent.",
    }
  },
  session: (isSaid) => {
    const message = 'a pooler in session mode in between'
    if (isSaid) return { level: 'fine', message }
    return {
      level: 'warning',
      message: `${message}, as far as can be seen`,
      advice:
        "Say so with scope: { pooler: 'session' } in the configuration if it is, or use transaction mode.",
    }
  },
  statement: () => ({
    level: 'error',
    message: 'a pooler in statement mode in between, which refuses transactions',
    advice: 'Set pool_mode = transaction for this database in the pooler.',
  }),
}
