import type { DirEntry } from '../ninep/host-folder.ts'
import type { Libc } from './folder-libc.ts'
import type { LinuxFile, Listing } from './folder-linux-node.ts'

const SEEK_SET = 0
/** Room for some hundred entries: one call a screenful, a bounded cost an open directory. */
const BUFFER_SIZE = 32_768

/**
 * Entries of an open directory after `cookie`, which is the host's d_off: it stays valid while others add and remove entries. What was read
 * ahead is given out first when the caller goes on where it stopped.
 */
export function readEntries(libc: Libc, file: LinuxFile, cookie: bigint, take: (entry: DirEntry) => boolean): number {
  file.listing ??= { bytes: Buffer.allocUnsafe(BUFFER_SIZE), at: 0, end: 0, cookie: -1n }
  const { listing } = file
  if (cookie === 0n || listing.cookie !== cookie) {
    const placed = libc.lseek(file.fd, BigInt.asIntN(64, cookie), SEEK_SET)
    if (placed < 0) return placed
    listing.at = 0
    listing.end = 0
    listing.cookie = cookie
  }
  for (;;) {
    if (listing.at >= listing.end) {
      const length = libc.getdents64(file.fd, listing.bytes, BUFFER_SIZE)
      if (length <= 0) {
        listing.cookie = -1n
        return length
      }
      listing.at = 0
      listing.end = length
    }
    if (!giveNext(listing, take)) return 0
  }
}

/** struct linux_dirent64: d_ino, d_off, d_reclen, d_type, d_name. */
function giveNext(listing: Listing, take: (entry: DirEntry) => boolean): boolean {
  const { bytes, at } = listing
  const nameAt = at + 19
  const cookie = bytes.readBigInt64LE(at + 8)
  const taken = take({
    inoLow: bytes.readUInt32LE(at),
    inoHigh: bytes.readUInt32LE(at + 4),
    cookie: BigInt.asUintN(64, cookie),
    type: bytes[at + 18],
    name: bytes.subarray(nameAt, bytes.indexOf(0, nameAt)),
  })
  if (!taken) return false
  listing.at = at + bytes.readUInt16LE(at + 16)
  listing.cookie = BigInt.asUintN(64, cookie)
  return true
}
