/** Symbols from the files that have them: ELF (vmlinux, programs), System.map and /proc/kallsyms. */
import type { Symbol } from './symbol-table.ts'

/** A file that is read in pieces: a vmlinux with its debug information has hundreds of megabytes. */
export interface ByteSource {
  readonly size: number
  /** Exactly `length` bytes; only asked for what lies within `size`. */
  read(offset: number, length: number): Uint8Array
}

/** The file has no symbols to read; the message is one sentence. */
export class NoSymbols extends Error {}

const SHT_SYMTAB = 2
const SHN_UNDEF = 0
const SHN_ABS = 0xfff1
const STT_OBJECT = 1
const STT_FUNC = 2
const STT_SECTION = 3
const STT_FILE = 4
const MOST_SECTIONS = 65536

interface Section {
  readonly type: number
  readonly flags: bigint
  readonly offset: number
  readonly size: number
  readonly link: number
}
const SHF_EXECINSTR = 4n

/** System V gABI, chapter 4. Little-endian files of 32 and 64 bits. */
export function readElfSymbols(file: ByteSource): Symbol[] {
  const view = (offset: number, length: number): DataView => {
    if (offset < 0 || offset + length > file.size) throw new NoSymbols('the ELF file is shorter than it says')
    const bytes = file.read(offset, length)
    return new DataView(bytes.buffer, bytes.byteOffset, length)
  }
  const head = view(0, Math.min(64, file.size))
  if (head.byteLength < 52 || head.getUint32(0, false) !== 0x7f45_4c46) throw new NoSymbols('not an ELF file')
  const wide = head.getUint8(4) === 2
  if (head.getUint8(5) !== 1 || (wide && head.byteLength < 64)) throw new NoSymbols('an ELF file of another machine')
  const at = wide ? Number(head.getBigUint64(0x28, true)) : head.getUint32(0x20, true)
  const entry = head.getUint16(wide ? 0x3a : 0x2e, true)
  const count = head.getUint16(wide ? 0x3c : 0x30, true)
  if (count > MOST_SECTIONS || entry < (wide ? 64 : 40)) throw new NoSymbols('the ELF file has no sections')
  const table = view(at, count * entry)
  const sections = Array.from({ length: count }, (_, n) => sectionAt(table, n * entry, wide))
  const symtab = sections.find(({ type }) => type === SHT_SYMTAB)
  const strings = symtab && sections[symtab.link]
  if (!symtab || !strings) throw new NoSymbols('the ELF file has no symbols (it was stripped)')
  const names = view(strings.offset, strings.size)
  const rows = view(symtab.offset, symtab.size)
  const step = wide ? 24 : 16
  const symbols: Symbol[] = []
  for (let row = 0; row + step <= symtab.size; row += step) {
    const symbol = symbolAt(rows, row, wide, names, sections)
    if (symbol) symbols.push(symbol)
  }
  return symbols
}

function sectionAt(view: DataView, at: number, wide: boolean): Section {
  const type = view.getUint32(at + 4, true)
  if (!wide) {
    const word = (n: number): number => view.getUint32(at + n, true)
    return { type, flags: BigInt(word(8)), offset: word(16), size: word(20), link: word(24) }
  }
  const long = (n: number): bigint => view.getBigUint64(at + n, true)
  const link = view.getUint32(at + 40, true)
  return { type, flags: long(8), offset: Number(long(24)), size: Number(long(32)), link }
}

function symbolAt(
  rows: DataView,
  at: number,
  wide: boolean,
  names: DataView,
  sections: readonly Section[],
): Symbol | undefined {
  const info = rows.getUint8(at + (wide ? 4 : 12))
  const index = rows.getUint16(at + (wide ? 6 : 14), true)
  const type = info & 15
  if (index === SHN_UNDEF || type === STT_SECTION || type === STT_FILE) return undefined
  const name = textAt(names, rows.getUint32(at, true))
  if (name === '' || isMarker(name)) return undefined
  const address = wide ? rows.getBigUint64(at + 8, true) : BigInt(rows.getUint32(at + 4, true))
  const size = wide ? Number(rows.getBigUint64(at + 16, true)) : rows.getUint32(at + 8, true)
  const inCode = ((sections[index]?.flags ?? 0n) & SHF_EXECINSTR) !== 0n
  const code = type === STT_FUNC || (type !== STT_OBJECT && inCode)
  return { name, address, size, kind: index === SHN_ABS ? 'absolute' : code ? 'code' : 'data' }
}

function textAt(names: DataView, offset: number): string {
  let text = ''
  for (let at = offset; at < names.byteLength; at++) {
    const byte = names.getUint8(at)
    if (byte === 0) return text
    text += String.fromCharCode(byte)
  }
  return ''
}

/** Local labels of assemblers and compilers. */
const isMarker = (name: string): boolean => name.startsWith('.L') || name.startsWith('$')

/** `address type name` a line, and the module's name behind it in kallsyms. */
export function readSymbolList(text: string): Symbol[] {
  const symbols: Symbol[] = []
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{8,16}) ([a-zA-Z?]) (\S+)/.exec(line)
    if (!match) continue
    const [, hex = '', type = '', name = ''] = match
    if (isMarker(name)) continue
    const kind = /a/i.test(type) ? 'absolute' : /[tw]/i.test(type) ? 'code' : 'data'
    symbols.push({ name, address: BigInt(`0x${hex}`), size: 0, kind })
  }
  if (symbols.length === 0) throw new NoSymbols('neither an ELF file nor a list of symbols such as System.map')
  if (symbols.every(({ address }) => address === 0n))
    throw new NoSymbols('all addresses are zero; read /proc/kallsyms as root')
  return symbols
}

/** By the first bytes: ELF, else a list. */
export function readSymbols(file: ByteSource): Symbol[] {
  const head = file.read(0, Math.min(4, file.size))
  const isElf = head.length === 4 && head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46
  return isElf ? readElfSymbols(file) : readSymbolList(new TextDecoder().decode(file.read(0, file.size)))
}
