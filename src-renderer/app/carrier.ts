/** The window's way to the process side: Electron's bridge where there is one, else a WebSocket to the server that gave us this page. */
import {
  SOCKET_PATH,
  SOCKET_PROTOCOL,
  TOKEN_KEY,
  tokenProtocol,
  type WindowBridge,
} from '../../src-main/contract/bridge.ts'
import { decodeFrame, encodeFrame } from '../../src-main/contract/rpc/frames.ts'
import type { FromHost } from '../../src-main/contract/rpc/messages.ts'
import type { Carrier } from '../../src-main/contract/rpc/proxy.ts'

declare global {
  interface Window {
    readonly longmode?: WindowBridge
  }
}

export function bridgeCarrier(bridge: WindowBridge): Carrier {
  return {
    send: (message) => bridge.send(message),
    onMessage: (listener) => bridge.onMessage(listener),
    // The main process does not end before its windows.
    onClose: () => undefined,
  }
}

/** What is sent before the socket is open waits for it. */
export function socketCarrier(socket: WebSocket): Carrier {
  const waiting: (string | Uint8Array<ArrayBuffer>)[] = []
  socket.binaryType = 'arraybuffer'
  socket.addEventListener('open', () => {
    for (const frame of waiting.splice(0)) socket.send(frame)
  })
  return {
    send(message) {
      const frame = encodeFrame(message)
      if (socket.readyState === WebSocket.CONNECTING) waiting.push(frame)
      else socket.send(frame)
    },
    onMessage: (listener) =>
      socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) =>
        listener(decodeFrame(typeof data === 'string' ? data : new Uint8Array(data)) as FromHost),
      ),
    onClose: (listener) => socket.addEventListener('close', listener, { once: true }),
  }
}

/** The token comes in the fragment once; kept for reloads of this tab, and out of sight of the address bar. */
export function takeToken(page: Location, store: Storage, history: History): string {
  const given = page.hash.slice(1)
  if (given !== '') {
    store.setItem(TOKEN_KEY, given)
    history.replaceState(null, '', page.pathname + page.search)
  }
  return store.getItem(TOKEN_KEY) ?? ''
}

export function openCarrier(): Carrier {
  if (window.longmode !== undefined) return bridgeCarrier(window.longmode)
  const token = takeToken(location, sessionStorage, history)
  const protocols = token === '' ? [SOCKET_PROTOCOL] : [SOCKET_PROTOCOL, tokenProtocol(token)]
  return socketCarrier(new WebSocket(`ws://${location.host}${SOCKET_PATH}`, protocols))
}
