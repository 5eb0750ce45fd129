/** One thing that is expected of an adapter. */
export interface ConformanceCase {
  /** A sentence on what is expected. */
  readonly name: string
  /** Rejects where the adapter does otherwise. */
  readonly run: () => Promise<void>
}
