import { readFileSync } from 'node:fs'

/** One way to do the same thing as the others; `turn` counts its calls. */
export interface Candidate {
  readonly name: string
  run(turn: number): Promise<unknown>
}

/** How candidates are measured. */
export interface MeasureOptions {
  /** How many times each candidate has its turn. */
  readonly rounds: number
  /** How many operations make a turn. */
  readonly operations: number
  /** How many operations are under way at the same time. */
  readonly concurrency: number
  /** Process ids of the server's backends, where the server is on this machine. */
  readonly backends: () => readonly number[]
}

/** What one operation of a candidate costs, as medians of its rounds. */
export interface Cost {
  readonly name: string
  /** Microseconds on the wall clock, per operation of one of the concurrent callers. */
  readonly latency: number
  /** Microseconds of CPU in this process. */
  readonly client: number
  /** Microseconds of CPU in the server's backends; `undefined` if the server is elsewhere. */
  readonly server: number | undefined
  /** The same and their sum against the first candidate's, as medians of the rounds. */
  readonly ratio: Ratio
}

/** Costs against those of the first candidate. */
export interface Ratio {
  readonly latency: number
  readonly client: number
  readonly server: number | undefined
  readonly cpu: number
}

/** Turns that are not counted: code is compiled, catalogs are read. */
const WARM_UP = 6

interface Sample {
  readonly latency: number
  readonly client: number
  readonly server: number | undefined
}

/**
 * Measures candidates against the first of them.
 *
 * They take turns, in another order in each round, so that whatever else the machine does hits all
 * of them alike; each round has a ratio of its own, and the median of those counts.
 */
export async function measure(
  candidates: readonly Candidate[],
  options: MeasureOptions,
): Promise<readonly Cost[]> {
  const samples = candidates.map((): Sample[] => [])
  for (let turn = 0; turn < WARM_UP; turn += 1) {
    for (const candidate of candidates) await sample(candidate, turn, options)
  }
  for (let round = 0; round < options.rounds; round += 1) {
    const taken = new Map<number, Sample>()
    for (let place = 0; place < candidates.length; place += 1) {
      const index = (place + round) % candidates.length
      const candidate = candidates[index]
      if (candidate !== undefined) taken.set(index, await sample(candidate, round + 1, options))
    }
    for (const [index, one] of taken) samples[index]?.push(one)
  }
  const base = samples[0] ?? []
  return candidates.map(({ name }, index) => costOf(name, samples[index] ?? [], base))
}

async function sample(
  candidate: Candidate,
  round: number,
  { operations, concurrency, backends }: MeasureOptions,
): Promise<Sample> {
  let turn = 0
  const work = async (): Promise<void> => {
    while (turn < operations) {
      turn += 1
      await candidate.run(round * operations + turn)
    }
  }
  const before = cpuOfBackends(backends())
  const cpu = process.cpuUsage()
  const began = process.hrtime.bigint()
  await Promise.all(Array.from({ length: concurrency }, work))
  const wall = Number(process.hrtime.bigint() - began) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const after = cpuOfBackends(backends())
  return {
    latency: (wall * concurrency) / operations,
    client: (user + system) / operations,
    server:
      before === undefined || after === undefined ? undefined : sum(after, before) / operations,
  }
}

/** CPU time of each process in microseconds: to the nanosecond where the kernel tells, else by ticks. */
function cpuOfBackends(pids: readonly number[]): ReadonlyMap<number, number> | undefined {
  try {
    return new Map(pids.map((pid) => [pid, fromSchedule(pid) ?? fromTicks(pid)]))
  } catch {
    return undefined
  }
}

function fromSchedule(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1000
  } catch {
    return undefined
  }
}

/** `utime` and `stime` stand behind the name, which may contain spaces. */
function fromTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** A backend that was not there before has spent all of its time meanwhile. */
function sum(after: ReadonlyMap<number, number>, before: ReadonlyMap<number, number>): number {
  return [...after].reduce((total, [pid, cpu]) => total + cpu - (before.get(pid) ?? 0), 0)
}

function costOf(name: string, samples: readonly Sample[], base: readonly Sample[]): Cost {
  const pairs = samples.flatMap((one, round) => {
    const other = base[round]
    return other === undefined ? [] : [{ one, other }]
  })
  const known = samples.every(({ server }) => server !== undefined)
  const ratio = (of: (sample: Sample) => number): number =>
    median(pairs.map(({ one, other }) => of(one) / of(other)))
  return {
    name,
    latency: median(samples.map(({ latency }) => latency)),
    client: median(samples.map(({ client }) => client)),
    server: known ? median(samples.map(({ server }) => server ?? 0)) : undefined,
    ratio: {
      latency: ratio(({ latency }) => latency),
      client: ratio(({ client }) => client),
      server: known ? ratio(({ server }) => server ?? 0) : undefined,
      cpu: ratio(({ client, server }) => client + (server ?? 0)),
    },
  }
}

/** The middle of sorted values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const ruler = head.map((_, index) => (index === 0 ? '---' : '---:'))
  return [line(head), line(ruler), ...rows.map(line)].join('\n')
}

/** `1.04×`, or a dash for what was not measured. */
export function times(ratio: number | undefined): string {
  return ratio === undefined ? '–' : `${ratio.toFixed(2)}×`
}

/** Whole microseconds. */
export function microseconds(value: number | undefined): string {
  return value === undefined ? '–' : `${Math.round(value)} µs`
}
