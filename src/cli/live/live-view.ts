import type { RunEvent } from 'tenantry'
import { createLogUpdate } from 'log-update'
import type { Colors } from '../output.js'
import type { RunView } from '../run-view.js'
import { Board } from './board.js'

const INTERVAL_MS = 100

/** What a live view draws on. */
export interface LiveSurface {
  readonly stream: NodeJS.WriteStream
  readonly colors: Colors
  /** The lines that stay of what has happened. */
  readonly linesOf: (event: RunEvent) => readonly string[]
}

/** Draws a run on a terminal, ten times a second; lines that stay are written above the drawing. */
export function openLiveView({ stream, colors, linesOf }: LiveSurface): RunView {
  const board = new Board(performance.now())
  const drawing = createLogUpdate(stream)
  const draw = (): void => {
    const { columns, rows } = stream
    drawing(board.lines(performance.now(), { columns, rows }, colors).join('\n'))
  }
  const stay = (line: string): void => {
    drawing.clear()
    stream.write(`${line}\n`)
    draw()
  }
  const timer = setInterval(draw, INTERVAL_MS)
  return {
    onEvent(event) {
      board.hear(event, performance.now())
      for (const line of linesOf(event)) stay(line)
    },
    tell: stay,
    note: stay,
    end() {
      clearInterval(timer)
      drawing.clear()
      drawing.done()
    },
  }
}
