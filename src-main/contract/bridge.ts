/**
 * What Electron's preload script puts on the window as `longmode`: the carrier's two ends, and the one thing that only a preload can
 * know. A page of `serve` has none of it and uses a WebSocket (path `/rpc`, frames of rpc/frames.ts, the token as its sub-protocol).
 */
import type { FromHost, ToHost } from './rpc/messages.ts'

export interface WindowBridge {
  send(message: ToHost): void
  onMessage(listener: (message: FromHost) => void): void
  /** The host path of a file that was dropped or chosen; empty when it has none. `file` is the page's File. */
  pathOfFile(file: unknown): string
}

/** The page's URL is http://127.0.0.1:PORT/#TOKEN; the page keeps the token in sessionStorage under this name and strips the fragment. */
export const TOKEN_KEY = 'longmode-token'
/** Where a page of `serve` opens its WebSocket. */
export const SOCKET_PATH = '/rpc'
/** The two sub-protocols that it offers: this one, and `token.` followed by the token. */
export const SOCKET_PROTOCOL = 'longmode'
export const tokenProtocol = (token: string) => `token.${token}`
