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
  /** The line that stays of what has ended, if one is to stay. */
  readonly lineOf: (event: RunEvent) => string | undefined
}

/** Draws a run on a terminal, ten times a second; lines that stay are written above the drawing. */
export function openLiveView({ stream, colors, lineOf }: LiveSurface): RunView {
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
      const line = lineOf(event)
      if (line !== undefined) stay(line)
    },
    note: stay,
    end() {
      clearInterval(timer)
      drawing.clear()
      drawing.done()
    },
  }
}
