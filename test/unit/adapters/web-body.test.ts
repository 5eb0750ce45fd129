import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, it } from 'vitest'
import { Ambience } from '../../../src/adapters/node/ambient.js'
import { keepWebReading } from '../../../src/adapters/node/web-body.js'

it('leaves who reads a body into a buffer of their own alone', async () => {
  const tenant = new AsyncLocalStorage<string>()
  const body = new ReadableStream({
    type: 'bytes',
    pull: (controller) => {
      controller.enqueue(new TextEncoder().encode(tenant.getStore() ?? 'nobody'))
    },
  })
  tenant.run('acme', () => keepWebReading(body, new Ambience()))
  const { value } = await body.getReader({ mode: 'byob' }).read(new Uint8Array(16))
  expect(new TextDecoder().decode(value)).toBe('nobody')
})
