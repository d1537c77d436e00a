import { ByteWriter } from '../bytes.ts'

/**
 * ACPI machine language (ACPI 6.4 §20.2) as functions that return encoded bytes: `device('PCI0', [name('_UID', integer(0))])`.
 * Only what the DSDT needs.
 */
export type Aml = Uint8Array

const OP = {
  zero: 0x00,
  one: 0x01,
  name: 0x08,
  byte: 0x0a,
  word: 0x0b,
  dword: 0x0c,
  string: 0x0d,
  qword: 0x0e,
  scope: 0x10,
  buffer: 0x11,
  package: 0x12,
  method: 0x14,
  extended: 0x5b,
  device: 0x82, // after `extended`
} as const

export function concat(parts: readonly Aml[]): Aml {
  const out = new ByteWriter()
  for (const part of parts) out.raw(part)
  return out.done()
}

/** Whole numbers from 0 to 2^53, in the shortest form. */
export function integer(value: number): Aml {
  const out = new ByteWriter()
  if (value <= 1) return out.u8(value === 0 ? OP.zero : OP.one).done()
  if (value <= 0xff) return out.u8(OP.byte).u8(value).done()
  if (value <= 0xffff) return out.u8(OP.word).u16(value).done()
  if (value <= 0xffff_ffff) return out.u8(OP.dword).u32(value).done()
  return out.u8(OP.qword).u64(value).done()
}

export function text(value: string): Aml {
  return new ByteWriter().u8(OP.string).text(value).u8(0).done()
}

/** "PNP0A03" as the compressed integer of EISAID() (§19.6.36): three letters of 5 bits and four hexadecimal digits, big-endian. */
export function eisaId(id: string): Aml {
  if (!/^[A-Z]{3}[0-9A-F]{4}$/.test(id)) throw new RangeError(`${id} is no EISA id`)
  const letter = (index: number): number => id.charCodeAt(index) - 0x40
  const packed = (letter(0) << 10) | (letter(1) << 5) | letter(2)
  const product = parseInt(id.slice(3), 16)
  const out = new ByteWriter().u8(OP.dword)
  return out
    .u8(packed >>> 8)
    .u8(packed)
    .u8(product >>> 8)
    .u8(product)
    .done()
}

/** NameString (§20.2.2): "PCI0", "\\_SB" or "\\_SB.LNKA"; segments are padded with '_'. */
function nameString(path: string): Aml {
  const out = new ByteWriter()
  const rooted = path.startsWith('\\')
  if (rooted) out.text('\\')
  const segments = (rooted ? path.slice(1) : path).split('.')
  if (segments.length === 2) out.u8(0x2e)
  if (segments.length > 2) out.u8(0x2f).u8(segments.length)
  for (const segment of segments) {
    if (!/^[A-Z_][A-Z0-9_]{0,3}$/.test(segment)) throw new RangeError(`${segment} is no ACPI name`)
    out.text(segment.padEnd(4, '_'))
  }
  return out.done()
}

/** PkgLength (§20.2.4): counts itself, and takes 1 to 4 bytes. */
function withLength(body: Aml): Aml {
  const out = new ByteWriter()
  let bytes = 1
  while (body.length + bytes > (bytes === 1 ? 0x3f : 2 ** (8 * bytes - 4) - 1)) bytes++
  const total = body.length + bytes
  if (bytes === 1) out.u8(total)
  else {
    out.u8(((bytes - 1) << 6) | (total & 0xf))
    for (let i = 1; i < bytes; i++) out.u8(total >>> (8 * i - 4))
  }
  return out.raw(body).done()
}

export function name(path: string, value: Aml): Aml {
  return concat([Uint8Array.of(OP.name), nameString(path), value])
}

/** A reference to a named object, as a package element. */
export function reference(path: string): Aml {
  return nameString(path)
}

export function scope(path: string, terms: readonly Aml[]): Aml {
  return concat([Uint8Array.of(OP.scope), withLength(concat([nameString(path), ...terms]))])
}

export function device(path: string, terms: readonly Aml[]): Aml {
  return concat([Uint8Array.of(OP.extended, OP.device), withLength(concat([nameString(path), ...terms]))])
}

/** A method that does nothing, with `args` arguments (0 to 7), not serialised. */
export function emptyMethod(path: string, args: number): Aml {
  return concat([Uint8Array.of(OP.method), withLength(concat([nameString(path), Uint8Array.of(args)]))])
}

export function packageOf(elements: readonly Aml[]): Aml {
  return concat([Uint8Array.of(OP.package), withLength(concat([Uint8Array.of(elements.length), ...elements]))])
}

/** ResourceTemplate (§6.4): a buffer of descriptors, ended by an end tag with checksum 0, which means "not checked". */
export function resources(descriptors: readonly Aml[]): Aml {
  const data = concat([...descriptors, Uint8Array.of(0x79, 0)])
  return concat([Uint8Array.of(OP.buffer), withLength(concat([integer(data.length), data]))])
}

/** I/O port descriptor (§6.4.2.5), 16-bit decode, fixed place. */
export function ioPort(base: number, length: number): Aml {
  return new ByteWriter().u8(0x47).u8(0x01).u16(base).u16(base).u8(1).u8(length).done()
}

/** IRQ descriptor without flags (§6.4.2.1): edge-triggered, active high, exclusive. */
export function irqEdge(irq: number): Aml {
  return new ByteWriter()
    .u8(0x22)
    .u16(1 << irq)
    .done()
}

/** Extended interrupt descriptor (§6.4.3.6): consumer, level-triggered, active high, shared. */
export function interruptLevel(gsi: number): Aml {
  return new ByteWriter().u8(0x89).u16(6).u8(0x09).u8(1).u32(gsi).done()
}

/** 32-bit fixed memory range (§6.4.3.4), writable. */
export function memoryFixed(base: number, length: number): Aml {
  return new ByteWriter().u8(0x86).u16(9).u8(1).u32(base).u32(length).done()
}

const WINDOW_MEMORY = 0
const WINDOW_IO = 1
const WINDOW_BUS = 2
const FLAGS_PRODUCED = 0x0c // producer, positive decode, both ends fixed
const IO_ENTIRE_RANGE = 0x03
const MEMORY_READ_WRITE = 0x01
const MEMORY_CACHEABLE = 0x02

function wordWindow(type: number, specific: number, first: number, last: number): Aml {
  const out = new ByteWriter().u8(0x88).u16(13).u8(type).u8(FLAGS_PRODUCED).u8(specific)
  return out
    .u16(0)
    .u16(first)
    .u16(last)
    .u16(0)
    .u16(last - first + 1)
    .done()
}

/** Address space windows that a host bridge passes on (§6.4.3.5). Bounds are inclusive. */
export function busWindow(first: number, last: number): Aml {
  return wordWindow(WINDOW_BUS, 0, first, last)
}

export function ioWindow(first: number, last: number): Aml {
  return wordWindow(WINDOW_IO, IO_ENTIRE_RANGE, first, last)
}

export function memoryWindow(first: number, last: number, cacheable: boolean): Aml {
  const specific = MEMORY_READ_WRITE | (cacheable ? MEMORY_CACHEABLE : 0)
  const out = new ByteWriter().u8(0x87).u16(23).u8(WINDOW_MEMORY).u8(FLAGS_PRODUCED).u8(specific)
  return out
    .u32(0)
    .u32(first)
    .u32(last)
    .u32(0)
    .u32(last - first + 1)
    .done()
}
