import { bindMessage, executeMessage, parseMessage } from './wire-message.js'

/** The texts of a form; they are the same for each schema. */
export interface FormTexts {
  /** The name under which a connection may keep it prepared. */
  readonly name: string
  /** Answers with one row, which tells the backend's process id. */
  readonly text: string
  /** Does the same and answers without a row, which costs both sides less. */
  readonly quiet: string
}

/**
 * One form of a prelude, ready to be sent. No Sync: it shares the transaction of what follows.
 *
 * Bytes are made when they are first sent: most preludes are sent in one way only.
 */
export class PreludeForm {
  readonly text: string
  readonly name: string
  readonly #quiet: string
  readonly #values: readonly string[]
  #unnamed: Buffer | undefined
  #execute: Buffer | undefined

  constructor({ text, name, quiet }: FormTexts, values: readonly string[]) {
    this.text = text
    this.name = name
    this.#quiet = quiet
    this.#values = values
  }

  /** Parse, Bind and Execute without a name. */
  get unnamed(): Buffer {
    return (this.#unnamed ??= Buffer.concat([
      parseMessage('', this.text),
      bindMessage('', this.#values),
      executeMessage(),
    ]))
  }

  /** Parse, Bind and Execute under the name, for the first time on a connection; without a row. */
  get prepare(): Buffer {
    return Buffer.concat([parseMessage(this.name, this.#quiet), this.execute])
  }

  /** Bind and Execute of what the connection has prepared. */
  get execute(): Buffer {
    return (this.#execute ??= Buffer.concat([
      bindMessage(this.name, this.#values),
      executeMessage(),
    ]))
  }
}
