import { optionInvalid, wholeNumber } from '../../support/options.js'
import type { Selector } from '../../selector/selector.js'
import type { GuardRules } from '../guard/guard.js'
import { type GuardOption, resolveGuard } from '../guard/guard-option.js'
import type { RunEvent, SchemaOutcome } from './report.js'
import type { RunSettings } from './run.js'
import type { Migration } from '../source.js'
import type { Atomicity } from '../step.js'
import type { UnitTarget } from '../unit/unit-target.js'

/** Which schemas a command is about. */
export interface SelectOptions {
  /** @defaultValue `select.all()` */
  readonly select?: Selector
  /** Schemas, slugs, domains or globs that are left alone whatever `select` says. */
  readonly exclude?: readonly string[]
  /**
   * At most so many tenants, those with pending migrations first; shared and static schemas do not
   * count.
   *
   * @defaultValue all that are selected
   */
  readonly limit?: number | undefined
}

/** How `migrations.status` looks. */
export interface StatusOptions extends SelectOptions {
  /**
   * Reads every ledger. Without it a ledger's comment is trusted, which the package writes together
   * with the ledger's rows; rows that somebody else changed by hand are not noticed.
   *
   * @defaultValue `false`
   */
  readonly deep?: boolean
}

/** A migration of a set: its file name, its name or its id. */
export type MigrationName = string | number

/** How a run over many schemas goes. */
export interface RunOptions extends StatusOptions {
  /**
   * How many schemas are migrated at the same time; each takes a client of the pool.
   *
   * @defaultValue `4`
   */
  readonly concurrency?: number
  /**
   * How long one statement waits for a lock, in milliseconds; then the schema is tried again.
   *
   * @defaultValue `10_000`
   */
  readonly lockTimeout?: number
  /**
   * How long one statement may take, in milliseconds. It is not for statements that run outside of
   * a transaction.
   *
   * @defaultValue the server's
   */
  readonly statementTimeout?: number
  /**
   * How much is committed together: all that a schema needs, or each migration by itself.
   *
   * @defaultValue `'schema'`
   */
  readonly atomicity?: Atomicity
  /**
   * What happens when a schema fails: the others of its kind go on, or nothing more is begun.
   *
   * @defaultValue `'continue'`
   */
  readonly onFailure?: 'continue' | 'stop'
  /** So many tenants come first; if one of them fails, the others are skipped. @defaultValue `0` */
  readonly canary?: number
  /**
   * Looks before each commit whether a migration changed anything outside of its schema.
   *
   * @defaultValue the router's option `guard`
   */
  readonly guard?: GuardOption
  /**
   * Lints the migrations that are about to run, before anything is run: `'error'` stops at findings
   * of that level with `LINT_FAILED`, `'warn'` only hands them to `onEvent`.
   *
   * @defaultValue `'error'` where the package `libpg-query` is installed; else the run goes on
   */
  readonly lint?: 'error' | 'warn' | false
  /** Begins no further schema once it is aborted; what runs is finished. */
  readonly signal?: AbortSignal
  /**
   * Begins no further schema once it is aborted, and has the server cancel what runs: that is rolled
   * back, and its schemas fail. A bridge's own connection is not reached.
   */
  readonly cancel?: AbortSignal
  /** Hears of each schema as soon as its outcome is known. */
  readonly onOutcome?: (outcome: SchemaOutcome) => void
  /** Hears of what the linter finds, and of each schema that is begun, tried again or finished. */
  readonly onEvent?: (event: RunEvent) => void
}

/** How `migrations.up` runs. */
export interface UpOptions extends RunOptions {
  /** The last migration to run. @defaultValue the newest */
  readonly to?: MigrationName
  /**
   * Compares the schemas afterwards with what their migrations make, as `migrations.verify` does.
   *
   * @defaultValue `false`
   */
  readonly verify?: boolean
}

/** How `migrations.down` runs. */
export interface DownOptions extends RunOptions {
  /** The migration that is the newest afterwards; `0` takes all of them back. */
  readonly to?: MigrationName
  /** How many migrations are taken back, where there is no `to`. @defaultValue `1` */
  readonly steps?: number
}

/** What `migrations.plan` looks at. */
export interface PlanOptions extends StatusOptions, Pick<UpOptions, 'to' | 'atomicity'> {}

/** What `migrations.markApplied` notes. */
export interface MarkOptions extends RunOptions {
  /** The last migration that counts as done. */
  readonly to: MigrationName
}

const DEFAULT_CONCURRENCY = 4
export const DEFAULT_LOCK_TIMEOUT_MS = 10_000
const MAX_ATTEMPTS = 5
const ATOMICITIES: readonly unknown[] = ['schema', 'migration', undefined]
const LINT_MODES: readonly unknown[] = ['error', 'warn', false, undefined]
const REACTIONS: readonly unknown[] = ['continue', 'stop', undefined]

/** The part of a run that is about its order and its end. */
export function settingsOf(options: RunOptions): RunSettings {
  const { signal, cancel, onOutcome, onEvent, onFailure } = options
  if (!REACTIONS.includes(onFailure)) {
    throw optionInvalid('onFailure', `Option "onFailure" must be 'continue' or 'stop'.`)
  }
  return {
    concurrency: wholeNumber('concurrency', options.concurrency ?? DEFAULT_CONCURRENCY, 1),
    canary: wholeNumber('canary', options.canary ?? 0, 0),
    maxAttempts: MAX_ATTEMPTS,
    signal: AbortSignal.any([signal, cancel].filter((each) => each !== undefined)),
    onOutcome,
    onEvent,
    onFailure,
  }
}

/**
 * The part of a run that is about each schema's migration.
 *
 * @param configured The guard of a run that says nothing about it.
 */
export function unitOptions(
  options: RunOptions,
  configured: GuardRules | undefined,
): Pick<UnitTarget, 'lockTimeoutMs' | 'statementTimeoutMs' | 'atomicity' | 'signal'> & {
  readonly guard: GuardRules | undefined
} {
  const { atomicity, guard, signal, statementTimeout } = options
  if (!ATOMICITIES.includes(atomicity)) {
    throw optionInvalid('atomicity', `Option "atomicity" must be 'schema' or 'migration'.`)
  }
  return {
    lockTimeoutMs: wholeNumber('lockTimeout', options.lockTimeout ?? DEFAULT_LOCK_TIMEOUT_MS, 1),
    statementTimeoutMs:
      statementTimeout === undefined
        ? undefined
        : wholeNumber('statementTimeout', statementTimeout, 1),
    atomicity,
    signal,
    guard: guard === undefined ? configured : resolveGuard(guard),
  }
}

/** How what is about to run is linted. */
export function lintMode({ lint }: RunOptions): RunOptions['lint'] {
  if (LINT_MODES.includes(lint)) return lint
  throw optionInvalid('lint', `Option "lint" must be 'error', 'warn' or false.`)
}

/**
 * The id that a set's migration is meant by.
 *
 * @throws `OPTIONS_INVALID` for one that the set does not have.
 */
export function idOf(set: readonly Migration[], to: MigrationName): number {
  const found = set.find(
    ({ id, name, fileName }) =>
      id === to || fileName === to || String(id) === to || (id > 0 && name === to),
  )
  if (found !== undefined) return found.id
  throw optionInvalid(
    'to',
    `No migration of a selected schema's set is ${JSON.stringify(to)}. Give a file name, a name or ` +
      'an id that the sets of all selected schemas have, or select fewer schemas.',
  )
}
