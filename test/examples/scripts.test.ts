import { expect, it } from 'vitest'
import { runExample } from './example.js'

/** What each example that ends by itself prints. */
const PRINTED = {
  'mikro-orm': [
    'Nothing was added: CheckConstraintViolationException',
    'acme: Ada 900.00',
    'globex: Grace 300.00',
  ],
  prisma: ['Nothing was added: DriverAdapterError', 'acme: Ada 900', 'globex: Grace 300'],
  script: ['tenant_acme: 1000.00', 'tenant_globex: 300.00', 'tenant_initech: 0'],
  'worker-pg-boss': [
    '2 reminders are waiting.',
    'acme: Ada is reminded',
    'acme: Alan has time',
    'globex: Grace is reminded',
  ],
}

it.each(Object.entries(PRINTED))('examples/%s prints what was done', async (name, lines) => {
  expect(await runExample(name)).toEqual({ code: 0, output: `${lines.join('\n')}\n` })
})
