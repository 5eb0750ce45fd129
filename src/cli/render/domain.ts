import type { Domain } from 'tenantry'

/** A domain in one line, with what is special about it. */
export function domainText({ host, path, primary, verified }: Domain): string {
  const notes = [primary && 'primary', !verified && 'not verified: leads nowhere yet']
  const said = notes.filter((note) => note !== false)
  return `${host}${path}${said.length > 0 ? ` (${said.join(', ')})` : ''}`
}
