import type { WireConnection } from './wire.js'

/**
 * Messages of the frontend, as bytes.
 *
 * pg makes its own with each query; a prelude is made once and sent many times.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

const NO_TYPES = int16(0)
const TEXT_FORMAT = int16(0)
const ALL_ROWS = int32(0)

/** Parse: prepares a statement; the empty name is the unnamed one. */
export function parseMessage(name: string, text: string): Buffer {
  return message('P', [cString(name), cString(text), NO_TYPES])
}

/** Bind: values, all in text format, for the unnamed portal. */
export function bindMessage(statement: string, values: readonly string[]): Buffer {
  const parameters = values.flatMap((value) => {
    const bytes = Buffer.from(value)
    return [int32(bytes.length), bytes]
  })
  const head = [cString(''), cString(statement), TEXT_FORMAT, int16(values.length)]
  return message('B', [...head, ...parameters, TEXT_FORMAT])
}

/** Execute: runs the unnamed portal to its end. */
export function executeMessage(): Buffer {
  return message('E', [cString(''), ALL_ROWS])
}

/** Sends a statement that takes no parameters, such as BEGIN, without a Sync. */
export function sendPlain(connection: WireConnection, text: string): void {
  connection.stream.write(
    Buffer.concat([parseMessage('', text), bindMessage('', []), executeMessage()]),
  )
}

function message(type: string, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`)
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
