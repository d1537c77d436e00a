/** SCSI as ATAPI drives speak it: SPC-3 and MMC-5. Operation codes and sense data. */
export const Scsi = {
  testUnitReady: 0x00,
  requestSense: 0x03,
  inquiry: 0x12,
  startStopUnit: 0x1b,
  preventRemoval: 0x1e,
  readCapacity: 0x25,
  read10: 0x28,
  readToc: 0x43,
  getConfiguration: 0x46,
  getEventStatus: 0x4a,
  modeSense10: 0x5a,
  read12: 0xa8,
} as const

export interface Sense {
  readonly key: number
  /** Additional sense code. */
  readonly code: number
}

export const Senses = {
  none: { key: 0, code: 0 },
  noMedium: { key: 2, code: 0x3a },
  mediumError: { key: 3, code: 0x11 },
  invalidCommand: { key: 5, code: 0x20 },
  outOfRange: { key: 5, code: 0x21 },
  invalidField: { key: 5, code: 0x24 },
} as const

export const CD_SECTOR = 2048

/** A big-endian number of 2 or 4 bytes. */
export function bigEndian(bytes: Uint8Array, at: number, width: 2 | 4): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return width === 2 ? view.getUint16(at) : view.getUint32(at)
}

/** Fixed format sense data, SPC-3 section 4.5.3. */
export function senseData({ key, code }: Sense): Uint8Array {
  const data = new Uint8Array(18)
  data[0] = 0x70
  data[2] = key
  data[7] = 10
  data[12] = code
  return data
}

/** Standard INQUIRY data, SPC-3 section 6.4.2: a removable CD/DVD drive. */
export function inquiryData(): Uint8Array {
  const data = new Uint8Array(36).fill(0x20)
  data.set([0x05, 0x80, 0x00, 0x21, 31, 0, 0, 0])
  const text = (at: number, value: string): void => {
    for (let i = 0; i < value.length; i++) data[at + i] = value.charCodeAt(i)
  }
  text(8, 'Longmode')
  text(16, 'CD-ROM')
  text(32, '1.0')
  return data
}

/** READ CAPACITY (10): last block and block size, MMC-5 section 6.20. */
export function capacityData(blocks: number): Uint8Array {
  const data = new Uint8Array(8)
  const view = new DataView(data.buffer)
  view.setUint32(0, blocks - 1)
  view.setUint32(4, CD_SECTOR)
  return data
}

/** READ TOC of a disc with one data track, format 0 (the table) or 1 (the session), MMC-5 section 6.26. */
export function tocData(format: number, msf: boolean, blocks: number): Uint8Array | undefined {
  const address = (block: number): number[] => {
    const at = msf ? block + 150 : block
    return msf
      ? [0, Math.floor(at / 4500), Math.floor(at / 75) % 60, at % 75]
      : [at >>> 24, (at >>> 16) & 0xff, (at >>> 8) & 0xff, at & 0xff]
  }
  const first = [0, 0x14, 1, 0, ...address(0)]
  if (format === 0) return Uint8Array.from([0, 18, 1, 1, ...first, 0, 0x16, 0xaa, 0, ...address(blocks)])
  if (format === 1) return Uint8Array.from([0, 10, 1, 1, ...first])
  return undefined
}

/** GET EVENT STATUS NOTIFICATION, the media class, MMC-5 section 6.6. */
export function mediaEventData(present: boolean): Uint8Array {
  return Uint8Array.from([0, 6, 4, 0x10, 0, present ? 2 : 0, 0, 0])
}

/** GET CONFIGURATION header with the current profile: CD-ROM, DVD-ROM or none, MMC-5 section 6.4. */
export function configurationData(blocks: number): Uint8Array {
  const CD_BLOCKS = 450_000
  const profile = blocks === 0 ? 0 : blocks > CD_BLOCKS ? 0x10 : 0x08
  return Uint8Array.from([0, 0, 0, 4, 0, 0, 0, profile])
}

/** MODE SENSE (10): the capabilities page (2Ah), MMC-5 annex; undefined for any other page. */
export function modeSenseData(page: number, present: boolean): Uint8Array | undefined {
  if (page !== 0x2a && page !== 0x3f) return undefined
  const capabilities = new Uint8Array(20)
  capabilities.set([0x2a, 18, 0x3b, 0x00, 0x70, 0x60, 0x29])
  const head = [0, 6 + capabilities.length, present ? 1 : 0x70, 0, 0, 0, 0, 0]
  return Uint8Array.from([...head, ...capabilities])
}
