import { connect, createServer } from 'node:net'

/**
 * A TCP proxy that holds back what the client sends, in a process of its own so that its CPU time
 * is not the client's. `setTimeout` counts in milliseconds, so the delay is on the way to the server
 * only; what it really is must be measured.
 *
 * Arguments: host and port of the server, delay in milliseconds. Writes its port to the output.
 */
const [host = '127.0.0.1', port = '5432', delay = '1'] = process.argv.slice(2)

const server = createServer({ noDelay: true }, (client) => {
  const target = connect({ host, port: Number(port), noDelay: true })
  client.on('data', (chunk) => setTimeout(() => target.write(chunk), Number(delay)))
  target.on('data', (chunk) => client.write(chunk))
  client.on('close', () => setTimeout(() => target.destroy(), Number(delay)))
  target.on('close', () => client.destroy())
  client.on('error', () => target.destroy())
  target.on('error', () => client.destroy())
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(typeof address === 'object' ? address?.port : address)
})
