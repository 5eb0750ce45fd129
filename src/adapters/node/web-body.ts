import type { Ambience } from './ambient.js'

/** The body of an answer of `fetch`. */
export type WebBody = Pick<ReadableStream<Uint8Array>, 'getReader'>

/** Has a body make its data in the ambience, whoever reads it. */
export function keepWebReading(body: WebBody, ambience: Ambience): void {
  const getReader = body.getReader.bind(body)
  const lend = (): ReadableStreamDefaultReader<Uint8Array> => {
    const reader = getReader()
    const read = reader.read.bind(reader)
    reader.read = () => ambience.run(read)
    return reader
  }
  // Readers into buffers of the caller's are left alone: what is read so is not made on demand.
  Object.defineProperty(body, 'getReader', {
    value: (options?: { readonly mode?: 'byob' }) =>
      options?.mode === 'byob' ? getReader({ mode: 'byob' }) : lend(),
    configurable: true,
  })
}
