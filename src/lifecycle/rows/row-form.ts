import type { PoolClient } from 'pg'

/**
 * The settings under which rows are read and written: the text of a value is the same everywhere, a
 * row that a policy hides is an error instead of missing, and no table takes too long.
 */
const ROW_FORM = {
  row_security: 'off',
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  extra_float_digits: '3',
  bytea_output: 'hex',
  lc_monetary: 'C',
  xmloption: 'content',
  synchronize_seqscans: 'off',
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
}

/**
 * Runs `work` under the settings of rows, on the path `pg_catalog`, in the caller's transaction. What
 * comes after it has the settings that were there before, but for the path.
 */
export async function inRowForm<R>(client: PoolClient, work: () => Promise<R>): Promise<R> {
  const names = Object.keys(ROW_FORM)
  const { rows } = await client.query<{ value: string }>(
    `select current_setting(name) as value from unnest($1::text[]) with ordinality as n (name, at)
     order by at`,
    [names],
  )
  await client.query('set local search_path = pg_catalog')
  await set(client, names, Object.values(ROW_FORM))
  const result = await work()
  await set(
    client,
    names,
    rows.map(({ value }) => value),
  )
  return result
}

function set(
  client: PoolClient,
  names: readonly string[],
  values: readonly string[],
): Promise<unknown> {
  return client.query(
    `select set_config(name, value, true) from unnest($1::text[], $2::text[]) as s (name, value)`,
    [names, values],
  )
}
