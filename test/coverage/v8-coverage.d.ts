declare module '@bcoe/v8-coverage' {
  import type { Profiler } from 'node:inspector'

  /** What a process has run, in the form of the files that Node writes. */
  export interface ProcessCov {
    readonly result: readonly Profiler.ScriptCoverage[]
  }

  /** The sum of what several processes have run. */
  export function mergeProcessCovs(processes: readonly ProcessCov[]): ProcessCov
}
