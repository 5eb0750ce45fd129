import type { SchemaName } from '../../names/schema-name.js'

/** From where to where rows are copied; both schemas are built alike. */
export interface CopyWay {
  readonly source: SchemaName
  readonly copy: SchemaName
  /** The text of the new schema's `search_path`: functions that are called expect it. */
  readonly path: string
}
