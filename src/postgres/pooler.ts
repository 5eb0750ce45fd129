/**
 * Tells whether a client speaks to its backend without a pooler in between: poolers make up the
 * process id that a client is told when it connects, and the backend itself says another one.
 *
 * @param backend What `pg_backend_pid()` has answered.
 */
export function isDirect(client: object, backend: string | number | null | undefined): boolean {
  return Number(backend) === Reflect.get(client, 'processID')
}
