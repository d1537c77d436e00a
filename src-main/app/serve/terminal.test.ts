import { spawn } from 'node:child_process'
import path from 'node:path'
import process from 'node:process'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { eventually } from '../../../tests/fixtures/echo-library.ts'
import { scratchFolder } from '../../../tests/fixtures/scratch.ts'
import { SOCKET_PATH, SOCKET_PROTOCOL, tokenProtocol } from '../../contract/bridge.ts'
import { decodeFrame, encodeFrame } from '../../contract/rpc/frames.ts'

const scratch = scratchFolder('terminal')
const fixture = path.resolve(import.meta.dirname, '../../../tests/fixtures/served-terminal.ts')

function start(name: string) {
  // The default machine shares a folder of the home folder; this is not the user's.
  const child = spawn(process.execPath, [fixture, path.join(scratch, name)], { env: { ...process.env, HOME: scratch } })
  const seen = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (seen.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (seen.err += chunk.toString()))
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  return { child, seen, ended, type: (text: string) => void child.stdin.write(text) }
}

describe('npm start without a display', () => {
  it('shows the default machine here, says where its window is, and ends with the machine', async () => {
    const { seen, ended, type } = start('alone')
    await eventually(() => seen.out.includes('ready'))
    expect(seen.err).toMatch(
      /^longmode: no display, so the window is a page of your browser: http:\/\/127\.0\.0\.1:\d+\/#[\w-]{32}\n/,
    )
    expect(seen.err.match(/^longmode: making something, once$/gm)).toHaveLength(1)
    type('hello\n!off\n')
    expect(await ended).toBe(0)
    expect(seen.out).toContain('HELLO')
  })
  it('is one machine with two views, and goes on while a window looks', async () => {
    const { child, seen, ended, type } = start('two')
    await eventually(() => seen.out.includes('ready'))
    const url = new URL(/http:\S+/.exec(seen.err)![0])
    const socket = new WebSocket(
      `ws://${url.host}${SOCKET_PATH}`,
      [SOCKET_PROTOCOL, tokenProtocol(url.hash.slice(1))],
      {
        headers: { Origin: url.origin },
      },
    )
    await new Promise((resolve) => socket.once('open', resolve))
    let shown = ''
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      const message = decodeFrame(isBinary ? data : data.toString()) as {
        event?: string
        value?: { bytes?: Uint8Array }
      }
      if (message.event === 'consoleOutput') shown += new TextDecoder().decode(message.value!.bytes)
    })
    const call = (id: number, method: string, ...args: unknown[]) =>
      socket.send(encodeFrame({ type: 'call', id, service: 'machines', method, args }))
    call(1, 'openConsole', 'default', 0)
    call(2, 'type', 'default', 0, new TextEncoder().encode('from the window\n'))
    await eventually(() => seen.out.includes('FROM THE WINDOW'))
    type('from here\n')
    await eventually(() => shown.includes('FROM HERE'))
    type('!off\n')
    await eventually(() => seen.err.includes('the machine is off'))
    call(3, 'start', 'default')
    await eventually(() => seen.out.match(/ready/g)?.length === 2)
    socket.close()
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  })
})
