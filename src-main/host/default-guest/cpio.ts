/**
 * The archive format of an initramfs: cpio "newc" (Linux Documentation/driver-api/early-userspace/buffer-format.rst). Each entry
 * is a header of 110 ASCII characters, the name with its NUL and the data, both padded to four bytes.
 */
export type CpioEntry =
  | { readonly kind: 'folder'; readonly name: string; readonly mode?: number }
  | { readonly kind: 'file'; readonly name: string; readonly mode: number; readonly data: Uint8Array }
  | { readonly kind: 'link'; readonly name: string; readonly target: string }
  /** A character device. */
  | {
      readonly kind: 'device'
      readonly name: string
      readonly mode: number
      readonly major: number
      readonly minor: number
    }

const TYPE = { folder: 0o040000, file: 0o100000, link: 0o120000, device: 0o020000 } as const
const TRAILER = 'TRAILER!!!'
const HEADER_BYTES = 110

const encoder = new TextEncoder()
const padded = (length: number) => (length + 3) & ~3
const hex = (value: number) => value.toString(16).padStart(8, '0')

function dataOf(entry: CpioEntry): Uint8Array {
  if (entry.kind === 'file') return entry.data
  return entry.kind === 'link' ? encoder.encode(entry.target) : new Uint8Array()
}

function permissions(entry: CpioEntry): number {
  return entry.kind === 'link' ? 0o777 : (entry.mode ?? 0o755)
}

function record(
  name: string,
  inode: number,
  mode: number,
  links: number,
  data: Uint8Array,
  major = 0,
  minor = 0,
): Uint8Array {
  const nameBytes = encoder.encode(`${name}\0`)
  const fields = [inode, mode, 0, 0, links, 0, data.length, 0, 0, major, minor, nameBytes.length, 0]
  const start = padded(HEADER_BYTES + nameBytes.length)
  const out = new Uint8Array(start + padded(data.length))
  out.set(encoder.encode(`070701${fields.map(hex).join('')}`))
  out.set(nameBytes, HEADER_BYTES)
  out.set(data, start)
  return out
}

/** The archive of `entries` in their order (folders before what they hold). Owner root, all times zero: the same input, the same bytes. */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const records = entries.map((entry, index) => {
    const numbers = entry.kind === 'device' ? ([entry.major, entry.minor] as const) : ([0, 0] as const)
    const mode = TYPE[entry.kind] | permissions(entry)
    return record(entry.name, index + 1, mode, entry.kind === 'folder' ? 2 : 1, dataOf(entry), ...numbers)
  })
  records.push(record(TRAILER, 0, 0, 1, new Uint8Array()))
  const archive = new Uint8Array(records.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of records) {
    archive.set(part, at)
    at += part.length
  }
  return archive
}
