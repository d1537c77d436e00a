/** The bits of flag and control registers in the manual's words (SDM vol. 1, 3.4.3; vol. 3, 2.5 and 2.2.1). */
type Words = readonly (readonly [bit: number, word: string])[]

const RFLAGS: Words = [
  [0, 'CF'],
  [2, 'PF'],
  [4, 'AF'],
  [6, 'ZF'],
  [7, 'SF'],
  [8, 'TF'],
  [9, 'IF'],
  [10, 'DF'],
  [11, 'OF'],
  [14, 'NT'],
  [16, 'RF'],
  [17, 'VM'],
  [18, 'AC'],
  [19, 'VIF'],
  [20, 'VIP'],
  [21, 'ID'],
]
const CR0: Words = [
  [0, 'PE'],
  [1, 'MP'],
  [2, 'EM'],
  [3, 'TS'],
  [4, 'ET'],
  [5, 'NE'],
  [16, 'WP'],
  [18, 'AM'],
  [29, 'NW'],
  [30, 'CD'],
  [31, 'PG'],
]
const CR4: Words = [
  [0, 'VME'],
  [1, 'PVI'],
  [2, 'TSD'],
  [3, 'DE'],
  [4, 'PSE'],
  [5, 'PAE'],
  [6, 'MCE'],
  [7, 'PGE'],
  [8, 'PCE'],
  [9, 'OSFXSR'],
  [10, 'OSXMMEXCPT'],
  [11, 'UMIP'],
  [12, 'LA57'],
  [16, 'FSGSBASE'],
  [17, 'PCIDE'],
  [18, 'OSXSAVE'],
  [20, 'SMEP'],
  [21, 'SMAP'],
  [22, 'PKE'],
]
const EFER: Words = [
  [0, 'SCE'],
  [8, 'LME'],
  [10, 'LMA'],
  [11, 'NXE'],
]
const DR6: Words = [
  [0, 'B0'],
  [1, 'B1'],
  [2, 'B2'],
  [3, 'B3'],
  [13, 'BD'],
  [14, 'BS'],
  [15, 'BT'],
]
const DR7: Words = [
  [0, 'L0'],
  [1, 'G0'],
  [2, 'L1'],
  [3, 'G1'],
  [4, 'L2'],
  [5, 'G2'],
  [6, 'L3'],
  [7, 'G3'],
  [8, 'LE'],
  [9, 'GE'],
  [13, 'GD'],
]
const MXCSR: Words = [
  [0, 'IE'],
  [1, 'DE'],
  [2, 'ZE'],
  [3, 'OE'],
  [4, 'UE'],
  [5, 'PE'],
  [6, 'DAZ'],
  [7, 'IM'],
  [8, 'DM'],
  [9, 'ZM'],
  [10, 'OM'],
  [11, 'UM'],
  [12, 'PM'],
  [15, 'FZ'],
]
const XCR0: Words = [
  [0, 'x87'],
  [1, 'SSE'],
  [2, 'AVX'],
]

const TABLES: Readonly<Record<string, Words>> = {
  rflags: RFLAGS,
  cr0: CR0,
  cr4: CR4,
  efer: EFER,
  dr6: DR6,
  dr7: DR7,
  mxcsr: MXCSR,
  xcr0: XCR0,
}

/** Set bits in words; IOPL and the rounding control as numbers. */
export function registerWords(name: string, value: bigint): string[] {
  const words = (TABLES[name] ?? []).filter(([bit]) => (value >> BigInt(bit)) & 1n).map(([, word]) => word)
  if (name === 'rflags' && (value >> 12n) & 3n) words.push(`IOPL=${(value >> 12n) & 3n}`)
  if (name === 'mxcsr' && (value >> 13n) & 3n) words.push(`RC=${(value >> 13n) & 3n}`)
  return words
}

/** A segment's attributes (descriptor bits 8-23 of the high word, as the state keeps them) in words (SDM vol. 3, 3.4.5). */
export function segmentWords(attr: number): string[] {
  if (!(attr & 0x80)) return ['unusable']
  const words = [`DPL ${(attr >> 5) & 3}`]
  if (!(attr & 0x10)) return [...words, `system type ${attr & 15}`]
  const code = (attr & 8) !== 0
  words.push(code ? 'code' : 'data')
  if (attr & 2) words.push(code ? 'readable' : 'writable')
  if (attr & 4) words.push(code ? 'conforming' : 'expand-down')
  if (attr & 1) words.push('accessed')
  words.push(code && attr & 0x2000 ? '64-bit' : attr & 0x4000 ? '32-bit' : '16-bit')
  return words
}
