const NAMES = ['PATH', 'TZ', 'TMPDIR', 'LD_LIBRARY_PATH']

/**
 * The environment for the keeper, `initdb` and `postgres`.
 *
 * The caller's own would bring its secrets, its `PG…` settings and its `NODE_OPTIONS` along.
 * Windows programs do not start without theirs, so there it is passed on as it is.
 */
export function startEnvironment(): Record<string, string> {
  const names = process.platform === 'win32' ? Object.keys(process.env) : NAMES
  const pairs = names.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(pairs), LC_ALL: 'C' }
}
