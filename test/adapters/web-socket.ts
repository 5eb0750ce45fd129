import { once } from 'node:events'
import { WebSocket } from 'ws'

/** Sends messages one after the other, and gives back what came back for each. */
export async function converse(
  url: string,
  headers: Readonly<Record<string, string>>,
  messages: readonly string[],
): Promise<readonly string[]> {
  const socket = new WebSocket(url.replace('http', 'ws'), { headers })
  await once(socket, 'open')
  const answers: string[] = []
  for (const message of messages) {
    const answer = once(socket, 'message')
    socket.send(message)
    answers.push(String((await answer)[0]))
  }
  const closed = once(socket, 'close')
  socket.close()
  await closed
  return answers
}
