import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import net from 'node:net'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { eventually } from '../../../tests/fixtures/echo-library.ts'
import { scratchFolder } from '../../../tests/fixtures/scratch.ts'
import { SOCKET_PATH, SOCKET_PROTOCOL, tokenProtocol } from '../../contract/bridge.ts'
import { decodeFrame, encodeFrame } from '../../contract/rpc/frames.ts'
import { serve, type Served } from './server.ts'

const scratch = scratchFolder('serve')
const received: unknown[] = []
let ended = 0
let served: Served

beforeAll(async () => {
  const folder = path.join(scratch, 'renderer')
  mkdirSync(path.join(folder, 'assets'), { recursive: true })
  writeFileSync(path.join(folder, 'index.html'), '<!doctype html>')
  writeFileSync(path.join(folder, 'assets/a.js'), 'export {}')
  writeFileSync(path.join(folder, '.sources'), 'hash')
  writeFileSync(path.join(scratch, 'secret.txt'), 'secret')
  symlinkSync(path.join(scratch, 'secret.txt'), path.join(folder, 'link.txt'))
  served = await serve({
    folder,
    port: 0,
    connect: (send) => ({
      receive: (message) => {
        received.push(message)
        send({ type: 'result', id: 1, value: Uint8Array.of(1, 2, 3) })
      },
      end: () => ended++,
    }),
  })
})
afterAll(() => served.close())

/** A request as it stands: `fetch` would tidy up the path and the headers. */
function ask(target: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: http.IncomingHttpHeaders; body: string }>((resolve, reject) => {
    const request = http.request(
      {
        host: '127.0.0.1',
        port: served.port,
        path: target,
        method,
        headers: { Host: `127.0.0.1:${served.port}`, ...headers },
      },
      (response) => {
        let body = ''
        response.on('data', (chunk: Buffer) => (body += chunk.toString()))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
      },
    )
    request.on('error', reject)
    request.end()
  })
}

describe('the page', () => {
  it('comes with a policy that allows its own files and connection only', async () => {
    const { status, headers, body } = await ask('/')
    expect([status, body]).toEqual([200, '<!doctype html>'])
    const policy = headers['content-security-policy'] as string
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain(`connect-src ws://127.0.0.1:${served.port};`)
    expect(policy).not.toMatch(/script-src[^;]*(unsafe|http|\*)/)
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect((await ask('/assets/a.js')).headers['content-type']).toContain('text/javascript')
  })
  it.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/..%5csecret.txt',
    '/%00',
    '/%ff',
    '/link.txt',
    '//../secret.txt',
  ])('does not leave its folder: %s', async (target) => {
    const { status, body } = await ask(target)
    expect([status, body.includes('secret\n') || body === 'secret']).toEqual([403, false])
  })
  it.each(['/nothing.js', '/assets', '/.sources', '/secret.txt'])('has no %s', async (target) => {
    expect((await ask(target)).status).toBe(404)
  })
  it('answers to its own name and pages alone', async () => {
    expect((await ask('/', { Host: 'evil.example' })).status).toBe(421)
    expect((await ask('/', { Host: `evil.example:${served.port}` })).status).toBe(421)
    expect((await ask('/', { Origin: 'http://evil.example' })).status).toBe(403)
    expect((await ask('/', { Origin: 'null' })).status).toBe(403)
    expect((await ask('/', { Host: `localhost:${served.port}` })).status).toBe(200)
    expect((await ask('/', {}, 'POST')).status).toBe(405)
  })
  it('is on 127.0.0.1 alone', async () => {
    const outside = Object.values(os.networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal)
    const others = ['127.0.0.2', ...(outside === undefined ? [] : [outside.address])]
    for (const host of others) {
      const refused = await new Promise<boolean>((resolve) => {
        const socket = net.connect(served.port, host)
        socket.once('connect', () => resolve(false)).once('error', () => resolve(true))
        socket.once('connect', () => socket.destroy())
      })
      expect([host, refused]).toEqual([host, true])
    }
  })
})

describe('the connection', () => {
  const token = () => new URL(served.url).hash.slice(1)
  const origin = () => `http://127.0.0.1:${served.port}`

  /** The status of a refusal, or the open socket. */
  function connect(protocols: readonly string[], headers: Record<string, string>, target = SOCKET_PATH) {
    return new Promise<number | WebSocket>((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${served.port}${target}`, [...protocols], { headers })
      socket.on('open', () => resolve(socket))
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
      socket.on('error', () => undefined)
    })
  }

  it('opens for our page with the token, and carries frames', async () => {
    const socket = await connect([SOCKET_PROTOCOL, tokenProtocol(token())], { Origin: origin() })
    if (typeof socket === 'number') throw new Error(`refused: ${socket}`)
    expect(socket.protocol).toBe(SOCKET_PROTOCOL)
    const answered = new Promise<Buffer>((resolve) => socket.once('message', resolve))
    socket.send(encodeFrame({ type: 'call', bytes: Uint8Array.of(9), big: 1n << 63n }))
    expect(decodeFrame(await answered)).toEqual({ type: 'result', id: 1, value: Uint8Array.of(1, 2, 3) })
    expect(received).toEqual([{ type: 'call', bytes: Uint8Array.of(9), big: 1n << 63n }])
    const before = ended
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    socket.send('{ no json')
    expect(await closed).toBe(1003)
    await eventually(() => ended > before)
  })
  it('refuses everybody else', async () => {
    const good = [SOCKET_PROTOCOL, tokenProtocol(token())]
    expect(await connect(good, {})).toBe(403)
    expect(await connect(good, { Origin: 'http://evil.example' })).toBe(403)
    expect(await connect(good, { Origin: `https://127.0.0.1:${served.port}` })).toBe(403)
    expect(await connect(good, { Origin: origin(), Host: 'evil.example' })).toBe(421)
    expect(await connect([SOCKET_PROTOCOL], { Origin: origin() })).toBe(401)
    expect(await connect([SOCKET_PROTOCOL, tokenProtocol('x'.repeat(32))], { Origin: origin() })).toBe(401)
    expect(await connect(good, { Origin: origin() }, '/other')).toBe(404)
  })
  it('has a token that nobody guesses', () => {
    expect(token()).toMatch(/^[\w-]{32}$/)
  })
})
