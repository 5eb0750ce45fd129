import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { SchemaRouter } from 'tenantry'
import { type AdapterService, testFrameworkAdapter } from 'tenantry/testing'
import { describe, it } from 'vitest'
import { type App, type Context, adapt } from '../../examples/custom-adapter/adapter.js'
import { useDatabase } from '../support/database.js'
import { listen } from './listen.js'

const database = useDatabase()
const router = new SchemaRouter({ pool: database.pool({ max: 5 }) })

const appOf = (service: AdapterService): App => ({
  fail: (error, response) => response.writeHead(500).end(JSON.stringify(service.failed(error))),
  handle: async (context) => {
    const { url, tenant, response } = context
    if (url === '/download') {
      await pipeline(Readable.from(service.download()), response).catch(() => {})
    } else if (url.startsWith('/get/')) tell(context, await service.get({ url, tenant }))
    else if (url === '/json') tell(context, await service.json(await json(context.request)))
    else if (url === '/upload') tell(context, await service.upload(partsOf(context)))
    else response.writeHead(404).end()
  },
})

function tell({ response }: Context, told: unknown): void {
  response.end(JSON.stringify(told))
}

/** The example does not promise anything of listeners, so it hands out no stream of Node. */
async function* partsOf({ request }: Context): AsyncGenerator<Uint8Array> {
  for await (const part of request) yield part as Uint8Array
}

describe('the adapter of examples/custom-adapter', () => {
  testFrameworkAdapter({
    test: it,
    router: () => router,
    start: (service) =>
      listen(createServer(adapt(service.router, appOf(service), service.options))),
  })
})
