import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { byHeader } from '../../adapters/request/by-word.js'
import { type AdapterBench, type AdapterCheck, codeOf } from './adapter-check.js'
import { isError } from '../../support/is-error.js'

const JSON_HEADERS = { 'content-type': 'application/json' }
const PART = 'x'.repeat(100_000)

/** What is expected of the ambient tenant for as long as a request lives. */
export const ambienceChecks: Readonly<Record<string, AdapterCheck>> = {
  'keeps the tenant when the framework parses the body': (bench) =>
    bench.serve({}, {}, async ({ ask }) => {
      const { host, first } = bench.fleet
      // More than arrives at once, and less than the 100 kB that express allows.
      const body = ['{"a":"', ...Array.from({ length: 3 }, () => 'x'.repeat(30_000)), '"}']
      const answer = await ask('/json', { method: 'POST', host, headers: JSON_HEADERS, body })
      const told = JSON.parse(answer.body) as { ambient: string; row: string; body: { a: string } }
      assert.deepEqual([told.ambient, told.row, told.body.a.length], [first, first, 90_000])
    }),

  'keeps the tenant while the app reads the body itself': (bench) => {
    const upload = (body: AsyncIterable<Uint8Array>): Promise<unknown> => read(bench, body)
    return bench.serve({}, { upload }, async ({ ask }) => {
      const { host, first } = bench.fleet
      const headers = { 'content-type': 'application/octet-stream' }
      const body = [PART, PART, PART]
      const answer = await ask('/upload', { method: 'POST', host, headers, body })
      assert.deepEqual(JSON.parse(answer.body), { size: 300_000, seen: [first] })
    })
  },

  'keeps the tenant in listeners on the body, where it has any': (bench) => {
    const upload = (body: AsyncIterable<Uint8Array>): Promise<unknown> =>
      body instanceof Readable ? heard(bench, body) : read(bench, body)
    return bench.serve({}, { upload }, async ({ ask }) => {
      const { host, first } = bench.fleet
      const headers = { 'content-type': 'application/octet-stream' }
      const answer = await ask('/upload', { method: 'POST', host, headers, body: [PART, PART] })
      assert.deepEqual(JSON.parse(answer.body), { size: 200_000, seen: [first] })
    })
  },

  'keeps the tenant while the answer is streamed': (bench) => {
    async function* download(): AsyncGenerator<string> {
      for (let at = 0; at < 8; at += 1) {
        const word = bench.router.tryCurrent()?.slug ?? 'nobody'
        yield `${word} ${await bench.row()} ${PART}\n`
      }
    }
    return bench.serve({}, { download }, async ({ ask }) => {
      const { host, first } = bench.fleet
      const { body } = await ask('/download', { host })
      const lines = body.trimEnd().split('\n')
      assert.equal(lines.length, 8)
      for (const line of lines) assert.equal(line, `${first} ${first} ${PART}`)
    })
  },

  'keeps the tenant for the framework’s error handler, thrown or rejected': async (bench) => {
    const get = ({ url }: { readonly url: string }): unknown => {
      if (url === '/get/throw') throw new Error(bench.router.current().slug)
      return rejectLater(bench)
    }
    const failed = (error: unknown): unknown => ({
      thrownBy: isError(error) ? error.message : codeOf(error),
      handledAs: bench.router.tryCurrent()?.slug,
    })
    await bench.serve({}, { get, failed }, async ({ ask }) => {
      const { host, first } = bench.fleet
      for (const path of ['/get/throw', '/get/reject']) {
        const { status, body } = await ask(path, { host })
        assert.deepEqual(JSON.parse(body), { thrownBy: first, handledAs: first }, path)
        assert.equal(status, 500)
      }
    })
  },

  'keeps the tenant in timers, ticks and callbacks': async (bench) => {
    const get = (): Promise<unknown> => Promise.all(WAYS.map((way) => seenBy(bench, way)))
    await bench.serve({}, { get }, async ({ ask }) => {
      const { host, first } = bench.fleet
      const { body } = await ask('/get/a', { host })
      assert.deepEqual(
        JSON.parse(body),
        WAYS.map(() => first),
      )
    })
  },

  'leaves no tenant behind on a connection that is kept alive': async (bench) => {
    const tenant = byHeader('x-tenant')
    await bench.serve({ tenant, missing: 'pass' }, {}, async ({ url }) => {
      for (const slug of [bench.fleet.slugs[0], undefined, bench.fleet.slugs[1], undefined]) {
        const headers = slug === undefined ? {} : { 'x-tenant': slug }
        const response = await fetch(`${url}/get/a`, { headers })
        const told = (await response.json()) as { ambient: string | null }
        assert.equal(told.ambient, slug ?? null)
      }
    })
  },
}

async function read(bench: AdapterBench, body: AsyncIterable<Uint8Array>): Promise<unknown> {
  const seen = new Set<string>()
  let size = 0
  for await (const part of body) {
    size += part.length
    seen.add(bench.router.current().slug).add(await bench.row())
  }
  return { size, seen: [...seen] }
}

async function heard(bench: AdapterBench, body: Readable): Promise<unknown> {
  const rows: Promise<string>[] = []
  let size = 0
  const hear = (part: Uint8Array): void => {
    size += part.length
    rows.push(bench.row())
  }
  body.on('data', hear)
  await new Promise((resolve) => {
    body.once('end', () => {
      rows.push(bench.row())
      resolve(undefined)
    })
  })
  return { size, seen: [...new Set(await Promise.all(rows))] }
}

async function rejectLater(bench: AdapterBench): Promise<never> {
  const word = await bench.row()
  throw new Error(word)
}

type Way = (fn: () => void) => unknown

const WAYS: readonly Way[] = [
  (fn) => setTimeout(fn, 1),
  (fn) => setImmediate(fn),
  (fn) => process.nextTick(fn),
  (fn) => queueMicrotask(fn),
  (fn) => void Promise.resolve().then(fn),
]

function seenBy({ router }: AdapterBench, way: Way): Promise<string | null> {
  return new Promise((resolve) => {
    way(() => resolve(router.tryCurrent()?.slug ?? null))
  })
}
