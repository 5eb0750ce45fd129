import { isatty } from 'node:tty'
import picocolors from 'picocolors'

/** The colours of one stream; they do nothing where the stream is no terminal. */
export type Colors = ReturnType<typeof picocolors.createColors>

/** Where a command writes. */
export interface Output {
  /** Writes a line of the result to stdout. */
  readonly print: (line: string) => void
  /** Writes a line for people: to stdout, or to stderr where stdout carries a JSON document. */
  readonly tell: (line: string) => void
  /** Writes a line that is no part of the result to stderr. */
  readonly note: (line: string) => void
  /** The colours of what `tell` writes. */
  readonly colors: Colors
}

/** What says in which form a command writes its result. */
export interface OutputFlags {
  readonly json?: boolean
}

/** Writes for people or, with `--json`, one document for machines. */
export function openOutput({ json = false }: OutputFlags): Output {
  const toStdout = writer(process.stdout)
  const toStderr = writer(process.stderr)
  return {
    print: toStdout,
    tell: json ? toStderr : toStdout,
    note: toStderr,
    colors: colorsOf(json ? process.stderr : process.stdout),
  }
}

/** The colours of a stream. */
export function colorsOf(stream: NodeJS.WriteStream & { readonly fd: number }): Colors {
  // Without a value picocolors decides by itself, and colours what goes to a log in CI.
  return picocolors.createColors(isatty(stream.fd) && picocolors.isColorSupported)
}

/** Writes the one document that `--json` promises. */
export function printJson(output: Output, document: unknown): void {
  output.print(JSON.stringify(document, null, 2))
}

/** Writes what came of a command in the form that is asked for, if one is: the last event, or one document. */
export function printReport(
  { json, events }: OutputFlags & { readonly events?: boolean },
  output: Output,
  document: object,
): void {
  if (events) output.print(JSON.stringify({ type: 'report', ...document }))
  else if (json) printJson(output, document)
}

function writer(stream: NodeJS.WriteStream): (line: string) => void {
  return (line) => void stream.write(`${line}\n`)
}
