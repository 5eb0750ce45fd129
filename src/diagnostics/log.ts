import debug from 'debug'

/** A `debug` logger below `tenantry:`; switched on by the environment variable `DEBUG=tenantry:*`. */
export type Log = debug.Debugger

/** The logger of one part of the package, for example `tenantry:scope`. */
export function log(part: 'scope' | 'registry' | 'migrate' | 'spares' | 'embedded'): Log {
  return debug(`tenantry:${part}`)
}
