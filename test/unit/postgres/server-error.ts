/** An error as pg makes it of the server's answer. */
export function serverError(code: string, message = ''): Error {
  return Object.assign(new Error(message), { code, severity: 'ERROR' })
}
