/**
 * The app in a browser: the window's files and a WebSocket, on 127.0.0.1 only. Other pages of the same browser, and other programs of
 * this computer, are kept out: the token is known to nobody but who sees this terminal, the Host must be ours (a name that somebody
 * points to 127.0.0.1 is not), and the Origin of a connection must be our own page.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { SOCKET_PATH, SOCKET_PROTOCOL, tokenProtocol } from '../../contract/bridge.ts'
import { decodeFrame, encodeFrame } from '../../contract/rpc/frames.ts'
import type { Connection } from '../../contract/rpc/host.ts'
import type { FromHost } from '../../contract/rpc/messages.ts'
import { UPLOAD_PIECE_BYTES } from '../../contract/services/files.ts'
import { contentSecurityPolicy, staticFile } from '../static-files.ts'

/** Only this address, whatever anybody says. */
const ADDRESS = '127.0.0.1'
const TOKEN_BYTES = 24
/** The longest frame from a window: a piece of an upload and what stands around it; a long paste is sent in pieces too. */
const MOST_FRAME_BYTES = UPLOAD_PIECE_BYTES + 65536

export interface ServeOptions {
  /** The built window. */
  readonly folder: string
  /** 0: any free port. */
  readonly port: number
  connect(send: (message: FromHost) => void): Connection
}

export interface Served {
  /** For the user: the page with the token in its fragment, which browsers do not send. */
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

class Server {
  readonly #options: ServeOptions
  readonly token = randomBytes(TOKEN_BYTES).toString('base64url')
  readonly http = http.createServer((request, response) => void this.#answer(request, response))
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MOST_FRAME_BYTES,
    handleProtocols: () => SOCKET_PROTOCOL,
  })
  #port = 0

  constructor(options: ServeOptions) {
    this.#options = options
    this.http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    )
  }

  async listen(): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    this.http.once('error', reject)
    this.http.listen(this.#options.port, ADDRESS, () => resolve(undefined))
    await promise
    this.#port = (this.http.address() as AddressInfo).port
    return this.#port
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate()
    this.http.closeAllConnections()
    await new Promise((resolve) => this.http.close(resolve))
  }

  get #hosts(): readonly string[] {
    return [`${ADDRESS}:${this.#port}`, `localhost:${this.#port}`]
  }

  #hasOurHost(request: IncomingMessage): boolean {
    return this.#hosts.includes(request.headers.host ?? '')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const end = (status: number, sentence: string) =>
      response.writeHead(status, { 'Content-Type': 'text/plain' }).end(`${sentence}\n`)
    if (!this.#hasOurHost(request)) return void end(421, 'This is not the address of this server.')
    const { origin } = request.headers
    if (origin !== undefined && !this.#hosts.includes(origin.replace(/^http:\/\//, '')))
      return void end(403, 'Other pages may not ask here.')
    if (request.method !== 'GET' && request.method !== 'HEAD') return void end(405, 'Only GET.')
    const policy = contentSecurityPolicy(`ws://${request.headers.host ?? ''}`)
    const { status, headers, body } = await staticFile(this.#options.folder, request.url ?? '/', policy)
    response.writeHead(status, { ...headers, 'Content-Length': body.length })
    response.end(request.method === 'HEAD' ? undefined : body)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    const refuse = (status: string) =>
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    if (!this.#hasOurHost(request)) return void refuse('421 Misdirected Request')
    const origin = /^http:\/\/(.+)$/.exec(request.headers.origin ?? '')?.[1]
    if (origin === undefined || !this.#hosts.includes(origin)) return void refuse('403 Forbidden')
    if (request.url !== SOCKET_PATH) return void refuse('404 Not Found')
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((word) => word.trim())
    if (!offered.includes(SOCKET_PROTOCOL) || !offered.some((word) => this.#isToken(word)))
      return void refuse('401 Unauthorized')
    this.#sockets.handleUpgrade(request, socket, head, (opened) => this.#open(opened))
  }

  #isToken(word: string): boolean {
    const wanted = Buffer.from(tokenProtocol(this.token))
    const given = Buffer.from(word)
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  }

  #open(socket: WebSocket): void {
    const connection = this.#options.connect((message) => socket.send(encodeFrame(message)))
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      try {
        connection.receive(decodeFrame(isBinary ? data : data.toString()))
      } catch {
        // No frame of ours: whoever speaks there is not our page.
        socket.close(1003)
      }
    })
    // What is wrong with a connection ends it; `close` follows.
    socket.on('error', () => socket.terminate())
    socket.on('close', () => connection.end())
  }
}

/** Starts serving. Rejects with the system's error when the port cannot be had. */
export async function serve(options: ServeOptions): Promise<Served> {
  const server = new Server(options)
  const port = await server.listen()
  return { url: `http://${ADDRESS}:${port}/#${server.token}`, port, close: () => server.close() }
}
