import type { PoolClient } from 'pg'
import { TenantryError } from '../../errors.js'
import { memoryOf } from './client-memory.js'
import { type Prelude, explainPrelude, isGuardError } from '../statement/prelude.js'
import { type Callback, type QueryCall, failSubmittable } from '../statement/query-call.js'
import type { Session, SessionRules, TransactionState } from './session.js'
import { isLost, sqlStateOf, toError } from '../sql-state.js'
import { splitStatements } from '../sql-text.js'
import { dropsPath, pathDropped } from '../statement/statement-text.js'
import { isSubmittable } from '../statement/wire.js'
import { controlOf } from '../transaction-control.js'

const CHAINS = /\bchain\b/i

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
  readonly #fixed: boolean
  #state: TransactionState = 'none'
  #entered = false
  #broken: Error | undefined
  #abandoned: Error | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(client: PoolClient, prelude: Prelude, rules: Omit<SessionRules, 'naming'>) {
    this.client = client
    this.#prelude = prelude
    this.#begin = rules.begin
    this.#fixed = rules.fixed === true
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

  async #run(call: QueryCall): Promise<unknown> {
    if (this.#abandoned !== undefined) throw this.#abandoned
    const text = textOf(call.config)
    if (this.#fixed && dropsPath(text)) throw pathDropped(this.schema)
    const control = this.#control(text)
    const send = (): Promise<unknown> => this.#send(call)
    if (this.#state === 'none' && !this.#fixed) {
      if (control === 'begin') return this.#open(send)
      await this.#open(() => this.client.query(this.#begin ?? 'begin'))
      if (this.#begin === undefined) return this.#alone(send)
    }
    const result = await send()
    this.#advance(control)
    return result
  }

  #advance(control: 'begin' | 'end' | undefined): void {
    if (control !== undefined) this.#state = control === 'begin' ? 'open' : 'none'
    // In a failed transaction nothing but ROLLBACK TO has success.
    else if (this.#state === 'failed') this.#state = 'open'
  }

  /** Begins a transaction and gives it the path, or leaves none. */
  async #open(begin: () => Promise<unknown>): Promise<unknown> {
    const result = await begin()
    const { stay, enter, values } = this.#prelude
    try {
      await this.client.query(this.#entered ? stay.text : enter.text, [...values])
    } catch (error) {
      await this.#rollBack()
      if (!isGuardError(error)) throw explainPrelude(toError(error), this.#prelude)
      await this.#discardTemporary()
      return this.#open(begin)
    }
    this.#entered = true
    this.#state = 'open'
    return result
  }

  /** The backend keeps its empty temporary schema, so the client is replaced at the end. */
  async #discardTemporary(): Promise<void> {
    await this.client.query('discard temp')
    memoryOf(this.client).leavings.add('temporary')
    this.#entered = true
  }

  async #alone(send: () => Promise<unknown>): Promise<unknown> {
    try {
      const result = await send()
      await this.client.query('commit')
      return result
    } catch (error) {
      await this.#rollBack()
      throw error
    } finally {
      this.#state = 'none'
    }
  }

  async #rollBack(): Promise<void> {
    await this.client.query('rollback').catch((error: unknown) => this.break(toError(error)))
  }

  async #send({ config, values }: QueryCall): Promise<unknown> {
    const { client } = this
    const text = textOf(config)
    const memory = memoryOf(client)
    memory.noteText(text)
    const args = [withoutName(config), values]
    const result: unknown = await Reflect.apply(Reflect.get(client, 'query'), client, args)
    for (const each of [result].flat()) memory.noteTag(tagOf(each), text)
    return result
  }

  /** What a text does to the transaction; one of several statements must leave it alone. */
  #control(text: string): 'begin' | 'end' | undefined {
    const statements = splitStatements(text)
    const control = statements.map(controlOf).find((kind) => kind !== undefined)
    if (control === undefined) return undefined
    const alone = statements.length === 1 && this.#begin === undefined
    if (alone && !(control === 'end' && CHAINS.test(text))) return control
    throw this.#refused(
      'Send BEGIN, COMMIT and ROLLBACK alone, without AND CHAIN, and not in a transaction scope.',
    )
  }

  #refused(sentence: string): TenantryError {
    return new TenantryError('STATEMENT_REFUSED', sentence, { schema: this.schema })
  }

  #judge(error: Error): Error {
    if (sqlStateOf(error) !== undefined && this.#state === 'open') this.#state = 'failed'
    if (!(error instanceof TenantryError) && isLost(error)) this.break(error)
    return error
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

/** pg keeps a statement by its name alone, whatever the schema: another tenant's types would fail. */
function withoutName(config: unknown): unknown {
  if (typeof config !== 'object' || config === null || !('name' in config)) return config
  return Object.create(config, { name: { value: undefined, enumerable: true, writable: true } })
}

/** pg keeps the first word of the server's command tag only. */
function tagOf(result: unknown): string {
  if (typeof result !== 'object' || result === null || !('command' in result)) return ''
  return result.command === 'DECLARE' ? 'DECLARE CURSOR' : String(result.command)
}
