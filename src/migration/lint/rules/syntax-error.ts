import type { Rule } from '../rule.js'

/** What PostgreSQL's parser cannot read. */
export const syntaxError: Rule = {
  name: 'syntax-error',
  level: 'error',
  check: ({ unreadable }) =>
    unreadable.map(({ place, message, certain }) =>
      certain
        ? { at: place, message: `PostgreSQL cannot read this: ${message}.` }
        : {
            at: place,
            level: 'warning',
            message: `The PL/pgSQL here could not be read, so its SQL was not looked at: ${message}.`,
          },
    ),
}
