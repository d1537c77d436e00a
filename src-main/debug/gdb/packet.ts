/** Packets of gdb's remote protocol (GDB manual, appendix E.1): `$data#checksum`, acknowledgements, and the interrupt byte. */

export type Incoming =
  /** A packet whose checksum is right; one character a byte. */
  { readonly kind: 'packet'; readonly data: string } | { readonly kind: 'broken' | 'ack' | 'nack' | 'interrupt' }

/** Data of one packet at most, as qSupported tells gdb. */
export const MOST_PACKET = 0x4000

/** Answers of error (E.1): EINVAL and EFAULT. gdb shows the number, nothing more. */
export const BAD_REQUEST = 'E16'
export const BAD_ADDRESS = 'E0e'

const INTERRUPT = 3

/** Cuts a stream of bytes into packets. */
export class PacketReader {
  /** Since `$`; undefined between packets. */
  #data: string | undefined
  #checksum = ''

  read(bytes: Uint8Array): Incoming[] {
    return Array.from(bytes, (byte) => (this.#data === undefined ? this.#between(byte) : this.#within(byte))).filter(
      (incoming) => incoming !== undefined,
    )
  }

  #between(byte: number): Incoming | undefined {
    if (byte === INTERRUPT) return { kind: 'interrupt' }
    const character = String.fromCharCode(byte)
    if (character === '+') return { kind: 'ack' }
    if (character === '-') return { kind: 'nack' }
    if (character === '$') this.#data = ''
    return undefined
  }

  #within(byte: number): Incoming | undefined {
    const character = String.fromCharCode(byte)
    const data = this.#data!
    if (!data.endsWith('#')) {
      // twice what was agreed: escapes; gdb would not send more, so this is no gdb
      if (data.length < 2 * MOST_PACKET + 16) this.#data = data + character
      else this.#data = undefined
      return undefined
    }
    this.#checksum += character
    if (this.#checksum.length < 2) return undefined
    const body = data.slice(0, -1)
    const right = parseInt(this.#checksum, 16) === checksum(body)
    this.#data = undefined
    this.#checksum = ''
    return right ? { kind: 'packet', data: unescape(body) } : { kind: 'broken' }
  }
}

function checksum(body: string): number {
  let sum = 0
  for (let n = 0; n < body.length; n++) sum += body.charCodeAt(n)
  return sum & 0xff
}

const unescape = (body: string): string =>
  body.replaceAll(/\}([^])/g, (_, character: string) => String.fromCharCode(character.charCodeAt(0) ^ 0x20))
const escape = (data: string): string =>
  data.replaceAll(/[#$}*]/g, (character) => `}${String.fromCharCode(character.charCodeAt(0) ^ 0x20)}`)

/** A whole packet; `data` is one character a byte. */
export function packet(data: string): Uint8Array {
  const body = escape(data)
  return latin1(`$${body}#${checksum(body).toString(16).padStart(2, '0')}`)
}

export const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))

/* ---- numbers and bytes in packets ---- */

export const hexBytes = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** Undefined when it is not whole bytes in hexadecimal. */
export function parseHexBytes(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || /[^0-9a-f]/i.test(text)) return undefined
  return Uint8Array.from({ length: text.length / 2 }, (_, n) => parseInt(text.slice(2 * n, 2 * n + 2), 16))
}

export function littleEndian(value: bigint, bits: number): string {
  const bytes = Uint8Array.from({ length: bits / 8 }, (_, n) => Number((value >> BigInt(8 * n)) & 0xffn))
  return hexBytes(bytes)
}
export function parseLittleEndian(text: string): bigint | undefined {
  const bytes = parseHexBytes(text)
  return bytes?.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
}
