/** Which file system begins at a place of a disk, and its label, from its own magic numbers. */

/** Reads bytes from the start of the partition; zeroes beyond the disk's end. */
export type ReadBytes = (position: number, length: number) => Promise<Uint8Array>

export interface FileSystem {
  /** As mount calls it: ext4, vfat, … */
  readonly kind: string
  /** Undefined when it has none. */
  readonly label: string | undefined
}

interface Row {
  readonly kind: string | ((head: Uint8Array) => string)
  readonly at: number
  readonly magic: string
  readonly label?: { readonly at: number; readonly length: number }
}

const EXT_SUPER = 1024
const COMPAT_JOURNAL = 4
/** Extents, 64-bit, flexible groups: what ext3 does not have. */
const EXT4_INCOMPATIBLE = 0x2c0

function extKind(head: Uint8Array): string {
  const word = (at: number) => new DataView(head.buffer, head.byteOffset).getUint32(EXT_SUPER + at, true)
  if (word(0x60) & EXT4_INCOMPATIBLE) return 'ext4'
  return word(0x5c) & COMPAT_JOURNAL ? 'ext3' : 'ext2'
}

/** The first that fits counts: FAT and NTFS look like a master boot record as well. */
const ROWS: readonly Row[] = [
  { kind: extKind, at: EXT_SUPER + 0x38, magic: '\x53\xef', label: { at: EXT_SUPER + 0x78, length: 16 } },
  { kind: 'xfs', at: 0, magic: 'XFSB', label: { at: 108, length: 12 } },
  { kind: 'btrfs', at: 0x10040, magic: '_BHRfS_M', label: { at: 0x1012b, length: 256 } },
  { kind: 'squashfs', at: 0, magic: 'hsqs' },
  { kind: 'iso9660', at: 0x8001, magic: 'CD001', label: { at: 0x8028, length: 32 } },
  { kind: 'swap', at: 4086, magic: 'SWAPSPACE2', label: { at: 1052, length: 16 } },
  { kind: 'ntfs', at: 3, magic: 'NTFS    ' },
  { kind: 'exfat', at: 3, magic: 'EXFAT   ' },
  { kind: 'vfat', at: 82, magic: 'FAT32   ', label: { at: 71, length: 11 } },
  { kind: 'vfat', at: 54, magic: 'FAT1', label: { at: 43, length: 11 } },
  { kind: 'crypto_LUKS', at: 0, magic: 'LUKS\xba\xbe' },
  { kind: 'LVM2_member', at: 512, magic: 'LABELONE' },
  { kind: 'f2fs', at: 1024, magic: '\x10\x20\xf5\xf2' },
]
const HEAD_BYTES = 0x10300

export async function fileSystemAt(read: ReadBytes): Promise<FileSystem | undefined> {
  const head = await read(0, HEAD_BYTES)
  const text = (at: number, length: number) => String.fromCharCode(...head.subarray(at, at + length))
  const row = ROWS.find(({ at, magic }) => text(at, magic.length) === magic)
  if (!row) return undefined
  const { kind, label } = row
  const bytes = label ? head.subarray(label.at, label.at + label.length) : new Uint8Array(0)
  const end = bytes.indexOf(0)
  const name = new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)).trim()
  return {
    kind: typeof kind === 'string' ? kind : kind(head),
    label: name === '' || name === 'NO NAME' ? undefined : name,
  }
}
