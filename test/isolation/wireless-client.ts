import { Client, type ClientConfig } from 'pg'

/**
 * A client that shows the package as little of itself as one of `pg-native` does, so that every
 * statement of a scope goes by BEGIN, prelude, statement, COMMIT.
 */
export class WirelessClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config)
    Object.defineProperty(this, 'getTransactionStatus', { value: undefined })
  }
}
