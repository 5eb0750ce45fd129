import { listIn, nodeIn, optionIn, unwrap } from '../node.js'
import { type Rule, nodeRule } from '../rule.js'
import { NO_TRANSACTION_MARKER, hasNoTransactionMarker } from '../../transaction/marker.js'
import { wantsOwnTransactions } from '../../transaction/own-transactions.js'
import type { Visit } from '../walk.js'

const BLANKED = /^TRANS_STMT_(BEGIN|START|COMMIT)$/
const TAKES_BACK = /^TRANS_STMT_(ROLLBACK|PREPARE|COMMIT_PREPARED|ROLLBACK_PREPARED)$/

const LEFT_OUT = 'The schema is migrated in one transaction, so this is left out. Remove it.'
const APART =
  'The whole file runs outside of a transaction of the run: if it fails half-way, what is committed stays. ' +
  'Write one file for each transaction instead.'

/** Statements that begin or end a transaction. */
export const transactionControl: Rule = nodeRule(
  'transaction-control',
  'error',
  ({ kind, ...visit }, { sql }) => {
    if (kind !== 'TransactionStmt') return undefined
    const { within } = visit.statement.piece
    if (within === 'routine') return undefined
    const control = String(visit.node['kind'])
    if (within === 'do' || TAKES_BACK.test(control)) {
      return 'The schema is migrated in one transaction, and this would end it. Remove it, or use a savepoint.'
    }
    if (!BLANKED.test(control)) return undefined
    const message = hasNoTransactionMarker(sql) || wantsOwnTransactions(sql) ? APART : LEFT_OUT
    return { level: 'warning', message }
  },
)

/** Statements that PostgreSQL refuses inside of a transaction. */
export const needsNoTransaction: Rule = nodeRule(
  'needs-no-transaction',
  'error',
  (visit, { sql }) => {
    const { within } = visit.statement.piece
    if (within === 'routine' || !refusesTransaction(visit)) return undefined
    const refused = 'PostgreSQL refuses this in a transaction'
    if (within === 'do') return `${refused}, and a DO block is always in one. Write it outside.`
    if (hasNoTransactionMarker(sql)) return undefined
    const message =
      `${refused}, so the whole file runs outside of one: if it fails half-way, what ran before stays. ` +
      `Put it into a file of its own that begins with "${NO_TRANSACTION_MARKER}".`
    return { level: 'warning', message }
  },
)

function refusesTransaction({ kind, node, parent }: Visit): boolean {
  if (kind === 'VacuumStmt') return node['is_vacuumcmd'] === true
  if (kind === 'ReindexStmt') return reindexes(node)
  if (kind === 'IndexStmt' || kind === 'DropStmt') return node['concurrent'] === true
  if (kind !== 'AlterTableStmt' || parent) return false
  return listIn(node, 'cmds').some((cmd) => {
    const partition = unwrap(nodeIn(unwrap(cmd)?.node, 'def'))
    return partition?.kind === 'PartitionCmd' && partition.node['concurrent'] === true
  })
}

function reindexes(node: Visit['node']): boolean {
  const wide = /^REINDEX_OBJECT_(SCHEMA|SYSTEM|DATABASE)$/.test(String(node['kind']))
  return wide || optionIn(node, 'params', 'concurrently') !== undefined
}
