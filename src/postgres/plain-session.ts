import type { PoolClient } from 'pg'
import { TenantryError } from '../errors.js'
import type { Prelude } from './prelude.js'
import { explainPrelude } from './prelude.js'
import { type Callback, type QueryCall, failSubmittable } from './query-call.js'
import type { Session, SessionRules, TransactionState } from './session.js'
import { splitStatements } from './sql-text.js'
import { isLost, sqlStateOf, toError } from './sql-state.js'
import { isSubmittable } from './wire.js'

const BEGINS: ReadonlySet<string> = new Set(['begin', 'start'])
const ENDS: ReadonlySet<string> = new Set(['commit', 'end', 'rollback', 'abort', 'prepare'])

/**
 * A session for clients without the wire protocol in JavaScript, such as `pg-native`.
 *
 * Each statement is run as BEGIN, prelude, statement, COMMIT: the same promise, for four round
 * trips. What the package cannot see there it refuses: cursors, streams, and texts of several
 * statements that control the transaction.
 */
export class PlainSession implements Session {
  readonly client: PoolClient
  readonly held = false
  readonly atRest = false
  readonly #prelude: Prelude
  readonly #begin: string | undefined
  #state: TransactionState = 'none'
  #entered = false
  #broken: Error | undefined
  #abandoned: Error | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(client: PoolClient, prelude: Prelude, rules: Pick<SessionRules, 'begin'>) {
    this.client = client
    this.#prelude = prelude
    this.#begin = rules.begin
  }

  get schema(): string {
    return this.#prelude.schema
  }

  get broken(): Error | undefined {
    return this.#broken
  }

  run(call: QueryCall, settle: Callback): void {
    const { config } = call
    if (isSubmittable(config)) {
      failSubmittable(config, this.#refused('Cursors and streams need a pool of pg’s own client.'))
      return
    }
    this.#last = this.#last
      .then(() => this.#run(call))
      .then(
        (result) => settle(null, result),
        (error: unknown) => settle(this.#judge(toError(error))),
      )
  }

  async #run({ config, values }: QueryCall): Promise<unknown> {
    if (this.#abandoned !== undefined) throw this.#abandoned
    const control = this.#control(textOf(config))
    if (this.#state === 'none' && control !== 'begin') {
      await this.#enter(this.#begin ?? 'begin')
      if (this.#begin === undefined) return this.#alone(config, values)
    }
    const result = await this.#send(config, values)
    if (control === 'begin') await this.#enter(undefined)
    if (control === 'end') this.#state = 'none'
    return result
  }

  async #enter(begin: string | undefined): Promise<void> {
    if (begin !== undefined) await this.client.query(begin)
    this.#state = 'open'
    const { stay, enter, values } = this.#prelude
    await this.client.query(this.#entered ? stay.text : enter.text, [...values])
    this.#entered = true
  }

  async #alone(config: unknown, values: unknown): Promise<unknown> {
    try {
      const result = await this.#send(config, values)
      await this.client.query('commit')
      return result
    } catch (error) {
      await this.client.query('rollback')
      throw error
    } finally {
      this.#state = 'none'
    }
  }

  async #send(config: unknown, values: unknown): Promise<unknown> {
    const { client } = this
    return Reflect.apply(Reflect.get(client, 'query'), client, [config, values])
  }

  /** What a text does to the transaction; one of several statements must leave it alone. */
  #control(text: string): 'begin' | 'end' | undefined {
    const statements = splitStatements(text)
    const kinds = statements.map(({ words: [first = '', second = '', third = ''] }) => {
      if (BEGINS.has(first)) return 'begin'
      if (first === 'prepare') return second === 'transaction' ? 'end' : undefined
      return ENDS.has(first) && second !== 'to' && third !== 'to' ? 'end' : undefined
    })
    const control = kinds.find((kind) => kind !== undefined)
    if (control === undefined || (statements.length === 1 && this.#begin === undefined)) return control
    throw this.#refused('Send BEGIN, COMMIT and ROLLBACK alone, and not in a transaction scope.')
  }

  #refused(sentence: string): TenantryError {
    return new TenantryError('STATEMENT_REFUSED', sentence, { schema: this.schema })
  }

  #judge(error: Error): Error {
    if (sqlStateOf(error) !== undefined && this.#state === 'open') this.#state = 'failed'
    if (error instanceof TenantryError) return error
    if (isLost(error)) this.break(error)
    return explainPrelude(error, this.#prelude)
  }

  async idle(): Promise<void> {
    await this.#last
  }

  transaction(): TransactionState {
    return this.#state
  }

  /** Such a client knows no key to cancel with: what runs is awaited. */
  abandon(reason: Error): void {
    this.#abandoned ??= reason
  }

  break(reason: Error): void {
    this.#broken ??= reason
  }
}

function textOf(config: unknown): string {
  if (typeof config === 'string') return config
  if (typeof config !== 'object' || config === null || !('text' in config)) return ''
  return typeof config.text === 'string' ? config.text : ''
}
