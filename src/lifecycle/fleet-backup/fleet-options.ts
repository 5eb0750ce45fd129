import type { RunEvent, RunReport, SchemaOutcome } from '../../migration/run/report.js'
import type { SelectOptions } from '../../migration/run/run-options.js'
import type { BackupOptions } from '../backup/backup.js'

/** How many archives are written or read. */
export interface FleetOptions {
  /**
   * How many tenants at the same time. Each takes a client of the pool, and the whole another one,
   * so that no more than that are begun at once.
   *
   * @defaultValue `4`
   */
  readonly concurrency?: number
  /**
   * How long to wait for migrations of a tenant, in milliseconds.
   *
   * @defaultValue `10_000`
   */
  readonly lockTimeout?: number
  /**
   * What happens when a tenant fails: the others go on, or none is begun any more.
   *
   * @defaultValue `'continue'`
   */
  readonly onFailure?: 'continue' | 'stop'
  /** Begins no further tenant once it is aborted; those that are begun are finished. */
  readonly signal?: AbortSignal
  /** Begins no further tenant once it is aborted, and stops those that are begun. */
  readonly cancel?: AbortSignal
  /** Hears of each tenant as soon as its outcome is known. */
  readonly onOutcome?: (outcome: SchemaOutcome) => void
  /** Hears of each tenant that is begun or finished. */
  readonly onEvent?: (event: RunEvent) => void
}

/** Which tenants are backed up, and how. */
export interface BackupAllOptions
  extends FleetOptions, SelectOptions, Pick<BackupOptions, 'engine' | 'pgDump'> {
  /** So many tenants come first; if one of them fails, the others are skipped. @defaultValue `0` */
  readonly canary?: number
}

/** How the archives of a folder are restored. */
export interface RestoreAllOptions extends FleetOptions {
  /** Leaves tenants alone whose slug is taken, instead of failing for them. @defaultValue `false` */
  readonly skipExisting?: boolean
}

/** What became of each tenant; one whose archive was there already is `current`. */
export interface BackupAllReport extends RunReport {
  /** The folder, as an absolute path. */
  readonly folder: string
  /**
   * Shared and static schemas that were selected and are in no archive, because they are not there, or
   * no migrations of this package make them.
   */
  readonly left: readonly string[]
}
