/** What is done to the table `notes` through an ORM: `id integer`, made by the server, and `body text`. */
export interface OrmNotes {
  /** Inserts a note with this body. */
  readonly add: (body: string) => Promise<unknown>
  /** The bodies of all notes. */
  readonly bodies: () => Promise<readonly string[]>
  /** Updates the notes with one body to another one. */
  readonly change: (from: string, to: string) => Promise<unknown>
  /** Deletes the notes with this body. */
  readonly remove: (body: string) => Promise<unknown>
  /** Runs SQL text by the ORM's own means, and answers with its rows. */
  readonly raw: (text: string) => Promise<readonly object[]>
}

/** {@link OrmNotes} in a transaction of the ORM. */
export interface OrmTransaction extends OrmNotes {
  /** A transaction inside of this one, if the ORM has them; it rejects with what the work throws. */
  readonly nested?: (work: (inner: OrmNotes) => Promise<void>) => Promise<unknown>
}

/** An ORM with its adapter, as {@link ormAdapterCases} uses it. */
export interface TestedOrm extends OrmNotes {
  /** A transaction of the ORM: committed when the work resolves, else it rejects with its error. */
  readonly transaction: (work: (inside: OrmTransaction) => Promise<void>) => Promise<unknown>
  /** The bodies of all notes as a stream, if the ORM has streams. */
  readonly stream?: () => AsyncIterable<string>
  /** Ways to name a schema that the adapter refuses; each is tried with another tenant's schema. */
  readonly refused?: Readonly<Record<string, (schema: string) => unknown>>
}
