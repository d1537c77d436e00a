/**
 * How the guest's file names (bytes) are written on a host whose names are text.
 *
 * - Linux: byte for byte.
 * - macOS: names must be UTF-8; others are refused.
 * - Windows: names must be UTF-8, and what Windows does not allow goes to the private-use characters U+F001..U+F09F, as WSL, Cygwin and
 *   Samba do: `< > : " | ? * \`, control characters, a last dot or space, and the first letter of a reserved name (`CON`, `aux.txt`).
 */
export type HostPlatform = 'linux' | 'darwin' | 'win32'

const PRIVATE_USE = 0xf000
const FORBIDDEN = /[<>:"|?*\\\p{Cc}]/gu
const LAST_DOT_OR_SPACE = /[. ]$/
const RESERVED = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i
const MOVED = /[\uf001-\uf09f]/g

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The host's name, or undefined when the host cannot have such a name. */
export function toHostName(name: Uint8Array, platform: HostPlatform): string | undefined {
  if (platform === 'linux') return Buffer.from(name).toString('latin1')
  let text: string
  try {
    text = strict.decode(name)
  } catch {
    return undefined
  }
  if (platform === 'darwin') return text
  // A private-use character of the guest's own would come back as another name.
  if (text.search(MOVED) >= 0) return undefined
  const moved = text.replace(FORBIDDEN, moveOut).replace(LAST_DOT_OR_SPACE, moveOut)
  return RESERVED.test(moved) ? moveOut(moved[0]) + moved.slice(1) : moved
}

/** The guest's name of a host entry. */
export function toGuestName(name: string, platform: HostPlatform): Uint8Array {
  if (platform === 'linux') return Buffer.from(name, 'latin1')
  if (platform === 'darwin') return Buffer.from(name, 'utf8')
  return Buffer.from(
    name.replace(MOVED, (character) => String.fromCharCode(character.charCodeAt(0) - PRIVATE_USE)),
    'utf8',
  )
}

function moveOut(character: string): string {
  return String.fromCharCode(PRIVATE_USE + character.charCodeAt(0))
}
