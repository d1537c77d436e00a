/**
 * Messages as WebSocket frames. A message without bytes is a text frame of JSON. One with bytes is a binary frame: a 32-bit little-endian
 * length, that many bytes of JSON, then the byte arrays one after the other, each starting where the one before it ends.
 * In the JSON a byte array is {"$bytes": length} in the order of the arrays, a bigint {"$big": "decimal"}, an `undefined` in a list {"$none": true};
 * `undefined` fields are left out, and an undefined result is absent. So what arrives is what structured cloning carries.
 */
const HEADER_BYTES = 4

export function encodeFrame(message: unknown): string | Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = []
  // `this[key]`, not the value: Node's Buffer turns itself into an object of numbers before it gets here.
  const json = JSON.stringify(message, function (this: Readonly<Record<string, unknown>>, key, shown: unknown) {
    const value = this[key]
    if (value === undefined && Array.isArray(this)) return { $none: true }
    if (typeof value === 'bigint') return { $big: value.toString() }
    if (!(value instanceof Uint8Array)) return shown
    parts.push(value)
    return { $bytes: value.length }
  })
  if (parts.length === 0) return json
  const head = new TextEncoder().encode(json)
  const total = parts.reduce((sum, part) => sum + part.length, HEADER_BYTES + head.length)
  const frame = new Uint8Array(total)
  new DataView(frame.buffer).setUint32(0, head.length, true)
  frame.set(head, HEADER_BYTES)
  let at = HEADER_BYTES + head.length
  for (const part of parts) {
    frame.set(part, at)
    at += part.length
  }
  return frame
}

/** The message of a frame. Throws RangeError or SyntaxError when it is none. */
export function decodeFrame(frame: string | Uint8Array): unknown {
  if (typeof frame === 'string') return revive(frame, new Uint8Array())
  if (frame.length < HEADER_BYTES) throw new RangeError('a frame without a header')
  const length = new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(0, true)
  const end = HEADER_BYTES + length
  if (end > frame.length) throw new RangeError('a frame that is cut off')
  return revive(
    new TextDecoder('utf-8', { fatal: true }).decode(frame.subarray(HEADER_BYTES, end)),
    frame.subarray(end),
  )
}

function revive(json: string, bytes: Uint8Array): unknown {
  let at = 0
  return JSON.parse(json, (_key, value: unknown) => {
    // What the line below took out of a list left a hole there.
    if (Array.isArray(value)) return Array.from(value as unknown[])
    const mark = markOf(value)
    if (mark === 'none') return undefined
    if (mark === undefined) return value
    if (typeof mark === 'bigint') return mark
    if (at + mark > bytes.length) throw new RangeError('a frame with fewer bytes than it says')
    at += mark
    // A copy: not `slice`, which in a Buffer of Node is a view of a buffer that is used again.
    return new Uint8Array(bytes.subarray(at - mark, at))
  })
}

/** A byte array's length, a bigint, 'none' for `undefined`, or undefined for an ordinary value. */
function markOf(value: unknown): number | bigint | 'none' | undefined {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return undefined
  const { $bytes, $big, $none } = value as Readonly<Record<'$bytes' | '$big' | '$none', unknown>>
  if ($none === true) return 'none'
  if (typeof $bytes === 'number' && Number.isSafeInteger($bytes) && $bytes >= 0) return $bytes
  return typeof $big === 'string' && /^-?\d{1,40}$/.test($big) ? BigInt($big) : undefined
}
