/** The built window's files, for `serve` and for Electron's app protocol alike. */
import { readFile, realpath } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const rendererFolder = fileURLToPath(new URL('../../dist/renderer/', import.meta.url))

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
}

export interface StaticAnswer {
  readonly status: 200 | 403 | 404
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** What the page may do: its own files and its own connection, nothing else. Styles are inline where xterm and Svelte write them. */
export function contentSecurityPolicy(connect: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

function answer(status: StaticAnswer['status'], type: string, body: Uint8Array, policy: string): StaticAnswer {
  return {
    status,
    headers: {
      'Content-Type': type,
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Cache-Control': 'no-cache',
    },
    body,
  }
}

const text = (status: 403 | 404, sentence: string, policy: string) =>
  answer(status, types['.txt'], new TextEncoder().encode(`${sentence}\n`), policy)

/**
 * The file of a URL's path (as it stands in the request, still encoded) below `root`. Whatever leads out of the folder, by dots,
 * encoded dots, backslashes or links, is 403.
 */
export async function staticFile(root: string, urlPath: string, policy: string): Promise<StaticAnswer> {
  const forbidden = text(403, 'This path leads out of the program.', policy)
  const missing = text(404, 'There is no such file.', policy)
  let decoded: string
  try {
    decoded = decodeURIComponent(urlPath.replace(/[?#].*$/s, ''))
  } catch {
    return forbidden
  }
  if (/[\0\\]/.test(decoded) || decoded.split('/').includes('..')) return forbidden
  const relative = decoded.replace(/^\/+/, '')
  const file = path.resolve(root, relative === '' ? 'index.html' : relative)
  try {
    const [real, realRoot] = await Promise.all([realpath(file), realpath(root)])
    if (!real.startsWith(realRoot + path.sep)) return forbidden
    const type = types[path.extname(real).toLowerCase()]
    if (type === undefined) return missing
    return answer(200, type, await readFile(real), policy)
  } catch {
    return missing
  }
}
