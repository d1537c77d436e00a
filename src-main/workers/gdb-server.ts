/** `-gdb tcp::PORT`: gdb's remote protocol on a port of 127.0.0.1, one gdb at a time. */
import { createServer, type Socket } from 'node:net'
import type { Debuggable } from '../contract/debug.ts'
import { GdbSession } from '../debug/gdb/session.ts'

export interface GdbServerHost {
  readonly target: Debuggable
  monitor(line: string): Promise<string>
  kill(): void
}

export interface GdbServer {
  readonly port: number
  /** Ends the connection and the port. */
  close(): void
}

/** Resolves when the port is open, with one sentence when it cannot be. Port 0 takes any free one. */
export function openGdbServer(port: number, host: GdbServerHost): Promise<GdbServer | string> {
  let current: Socket | undefined
  const server = createServer((socket) => {
    if (current) {
      socket.destroy()
      return
    }
    current = socket
    socket.setNoDelay(true)
    const session = new GdbSession({
      target: host.target,
      send: (bytes) => {
        if (socket.writable) socket.write(bytes)
      },
      monitor: (line) => host.monitor(line),
      kill: () => host.kill(),
    })
    socket.on('data', (bytes) => session.receive(bytes))
    // a connection that breaks is one that ends
    socket.on('error', () => undefined)
    socket.on('close', () => {
      current = undefined
      void session.close()
    })
  })
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'is in use; give another with -gdb tcp::PORT' : `: ${error.message}`
      resolve(`-gdb: port ${port} of 127.0.0.1 ${why}`)
    })
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      resolve({
        port: typeof address === 'object' && address ? address.port : port,
        close: () => {
          server.close()
          current?.destroy()
        },
      })
    })
  })
}
