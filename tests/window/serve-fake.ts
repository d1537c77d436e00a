/** `dist/renderer` with a FakeHost behind it, for pictures and tests in a real browser. Prints its address. */
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { WebSocketServer } from 'ws'
import { SOCKET_PATH, SOCKET_PROTOCOL } from '../../src-main/contract/bridge.ts'
import { decodeFrame, encodeFrame } from '../../src-main/contract/rpc/frames.ts'
import type { FakeHost } from './fake-host.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
}
const root = path.resolve(import.meta.dirname, '../../dist/renderer')

/** Resolves with the page's address; `close` ends it. */
export async function serveFake(fake: FakeHost): Promise<{ readonly url: string; readonly close: () => void }> {
  const server: Server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1')
    const file = path.join(root, pathname === '/' ? 'index.html' : pathname)
    try {
      const body = readFileSync(file)
      response.setHeader('content-type', types[path.extname(file)] ?? 'application/octet-stream').end(body)
    } catch {
      response.writeHead(404).end()
    }
  })
  const sockets = new WebSocketServer({ server, path: SOCKET_PATH, handleProtocols: () => SOCKET_PROTOCOL })
  sockets.on('connection', (socket) => {
    const connection = fake.host.connect((message) => socket.send(encodeFrame(message)))
    socket.on('message', (data: Buffer, isBinary) =>
      connection.receive(decodeFrame(isBinary ? new Uint8Array(data) : data.toString())),
    )
    socket.on('close', () => connection.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () => {
    for (const socket of sockets.clients) socket.terminate()
    server.close()
  }
  return { url: `http://127.0.0.1:${String(port)}/`, close }
}
