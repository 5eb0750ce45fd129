import { EventEmitter, once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

/** Stands between a client and a server, and can lose connections as a network does. */
export interface SilentProxy extends AsyncDisposable {
  /** The server's URL, by way of the proxy. */
  readonly url: string
  /** How many connections were asked for, refused ones among them. */
  readonly connections: number
  /** Passes nothing on any more, in either direction and without a word; new connections work. */
  silence(): void
  /** Passes on what was kept since `silence`, and what comes. */
  speak(): void
  /** Cuts every connection, and each new one as soon as it is made. */
  refuse(): void
  /** Lets new connections through again. */
  accept(): void
  /** Waits for a connection that is asked for from now on. */
  nextConnection(): Promise<void>
}

/** Opens a proxy in front of the server of a URL. */
export async function openSilentProxy(serverUrl: string): Promise<SilentProxy> {
  const server = new URL(serverUrl)
  const events = new EventEmitter()
  /** Each with the one that it passes on to. */
  const sockets = new Map<Socket, Socket>()
  let count = 0
  let isRefusing = false
  const listener = createServer((near) => {
    count += 1
    events.emit('connection')
    if (isRefusing) {
      near.destroy()
      return
    }
    join(near, connect(Number(server.port || 5432), server.hostname), sockets)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    url: through(server, listener.address()),
    get connections() {
      return count
    },
    silence: () => {
      for (const socket of sockets.keys()) {
        socket.unpipe()
        socket.pause()
      }
    },
    speak: () => {
      for (const [socket, other] of sockets) socket.pipe(other)
    },
    refuse: () => {
      isRefusing = true
      for (const socket of sockets.keys()) socket.destroy()
    },
    accept: () => {
      isRefusing = false
    },
    nextConnection: async () => {
      await once(events, 'connection')
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets.keys()) socket.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
}

function join(near: Socket, far: Socket, sockets: Map<Socket, Socket>): void {
  for (const [socket, other] of [
    [near, far],
    [far, near],
  ] as const) {
    sockets.set(socket, other)
    socket.pipe(other)
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      other.destroy()
    })
  }
}

function through(server: URL, address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.')
  const url = new URL(server)
  url.hostname = '127.0.0.1'
  url.port = String(address.port)
  return url.href
}
