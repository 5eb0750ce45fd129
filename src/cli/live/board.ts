import type { RunEvent } from 'tenantry'
import type { Colors } from '../output.js'
import { durationText } from '../render/duration.js'

/** How large a drawing may be. */
export interface BoardSize {
  readonly columns: number
  readonly rows: number
}

interface Worker {
  readonly schema: string
  readonly since: number
  /** Above 1 after a failure that may pass. */
  readonly attempt: number
}

const BAR_WIDTH = 30
/** The bar, and a line for the cursor. */
const OTHER_ROWS = 3

/** What a run is doing, from what it tells of itself: a line for each worker, and a bar. */
export class Board {
  /** A worker keeps its line, so that the others do not jump when one ends. */
  readonly #workers: (Worker | undefined)[] = []
  readonly #began: number
  #total = 0
  #ended = 0
  #failed = 0

  constructor(now: number) {
    this.#began = now
  }

  /** Takes note of an event of the run. */
  hear(event: RunEvent, now: number): void {
    if (event.type === 'selected') this.#total += event.schemas
    if (event.type === 'started') this.#start(event, now)
    if (event.type !== 'finished') return
    this.#ended += 1
    if (event.outcome.status === 'failed') this.#failed += 1
    const at = this.#workers.findIndex((worker) => worker?.schema === event.schema)
    if (at >= 0) this.#workers[at] = undefined
  }

  #start({ schema, attempt }: { schema: string; attempt: number }, now: number): void {
    const own = this.#workers.findIndex((worker) => worker?.schema === schema)
    const at = own >= 0 ? own : this.#workers.indexOf(undefined)
    const since = this.#workers[own]?.since ?? now
    this.#workers.splice(at < 0 ? this.#workers.length : at, 1, { schema, since, attempt })
  }

  /** The drawing, no wider and no higher than the terminal. */
  lines(now: number, { columns, rows }: BoardSize, colors: Colors): readonly string[] {
    const workers = this.#workers
      .slice(0, Math.max(0, rows - OTHER_ROWS))
      .map((worker) => (worker ? workerText(worker, now).slice(0, columns - 1) : ''))
    return [...workers.map((line) => colors.dim(line)), this.#bar(now, columns, colors)]
  }

  #bar(now: number, columns: number, colors: Colors): string {
    const share = this.#total === 0 ? 0 : this.#ended / this.#total
    const text = [`${this.#ended}/${this.#total}`, ...this.#speed(now)].join(' · ')
    const failed = this.#failed > 0 ? ` · ${this.#failed} failed` : ''
    const room = columns - text.length - failed.length - 2
    const width = Math.max(0, Math.min(BAR_WIDTH, room))
    const full = Math.round(width * share)
    const bar = colors.green('█'.repeat(full)) + colors.dim('░'.repeat(width - full))
    return `${bar} ${text}${colors.red(failed)}`
  }

  #speed(now: number): readonly string[] {
    const elapsed = now - this.#began
    if (this.#ended === 0 || elapsed <= 0) return []
    const perSecond = (this.#ended * 1000) / elapsed
    const left = (this.#total - this.#ended) / perSecond
    return [
      `${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)}/s`,
      ...(left > 0 ? [`${durationText(left * 1000)} left`] : []),
    ]
  }
}

function workerText({ schema, since, attempt }: Worker, now: number): string {
  const again = attempt > 1 ? `, attempt ${attempt}` : ''
  return `› ${schema}  ${durationText(Math.max(0, now - since))}${again}`
}
