/**
 * The monitor's `x` and `xp`, through contract/debug.ts: the machine only lends its memory, so that the disassembler stays out of the
 * vCPU's thread.
 */
import { DebugRefused, type AddressSpace, type Debuggable, type MemoryRead } from '../../contract/debug.ts'
import { MonitorError, parseAddress, parseFormat, type Format } from './address.ts'

/** Longest instruction, bytes (SDM vol. 2, 2.3.11). */
const MOST_INSTRUCTION = 15

const hex = (value: bigint, digits = 16): string => value.toString(16).padStart(digits, '0')
const linear = (address: bigint, offset: number): bigint => BigInt.asUintN(64, address + BigInt(offset))
const unreadable = (address: bigint): string => `Cannot access memory at 0x${hex(address, 1)}`

/** `rest` is what follows the command's name: `/4xw $rsp`. */
export async function examine(debug: Debuggable, space: AddressSpace, rest: string): Promise<string> {
  try {
    const match = /^(?:\/(\S*)\s*)?(.*)$/.exec(rest)!
    if (match[2] === '') throw new MonitorError('an address is missing')
    const format = parseFormat(match[1] ?? '')
    const registers = await debug.ask('registers', {})
    const address = parseAddress(match[2]!, registers)
    const length = format.count * (format.letter === 'i' ? MOST_INSTRUCTION : format.size)
    const read = await debug.ask('readMemory', { space, address, length })
    return format.letter === 'i'
      ? await instructions(read, address, format.count, registers.codeBits)
      : values(read, address, format)
  } catch (error) {
    if (error instanceof MonitorError || error instanceof DebugRefused) return error.message
    throw error
  }
}

/** As QEMU shows them: AT&T's notation, as gdb does. */
async function instructions(
  { bytes, holes }: MemoryRead,
  address: bigint,
  count: number,
  bits: 16 | 32 | 64,
): Promise<string> {
  const { disassemble } = await import('../../debug/disassembly.ts')
  const readable = holes[0]?.offset ?? bytes.length
  const found = disassemble({ bytes: bytes.subarray(0, readable), address, bits, syntax: 'att', most: count })
  const lines = found.map((line) => `0x${hex(line.address, 1)}: ${spaced(line.bytes).padEnd(30)} ${line.text}`)
  if (found.length < count) lines.push(unreadable(linear(address, readable)))
  return lines.join('\n')
}

const spaced = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')

function values({ bytes, holes }: MemoryRead, address: bigint, format: Format): string {
  const { count, size } = format
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  // a hole in the first value: nothing to show
  const readable = holes.length === 0 ? count : Math.floor(holes[0]!.offset / size)
  const perLine = (size === 1 ? 8 : 16) / size
  const lines: string[] = []
  for (let first = 0; first < readable; first += perLine) {
    const shown: string[] = []
    for (let n = first; n < Math.min(first + perLine, readable); n++)
      shown.push(show(valueAt(view, n * size, size), format))
    lines.push(`${hex(linear(address, first * size))}: ${shown.join(' ')}`)
  }
  if (readable < count) lines.push(unreadable(linear(address, readable * size)))
  return lines.join('\n')
}

function valueAt(view: DataView, at: number, size: Format['size']): bigint {
  if (size === 8) return view.getBigUint64(at, true)
  if (size === 4) return BigInt(view.getUint32(at, true))
  return BigInt(size === 2 ? view.getUint16(at, true) : view.getUint8(at))
}

function show(value: bigint, { letter, size }: Format): string {
  switch (letter) {
    case 'x':
      return `0x${hex(value, size * 2)}`
    case 'o':
      return `0${value.toString(8).padStart(Math.ceil((size * 8) / 3), '0')}`
    case 'd':
      return BigInt.asIntN(size * 8, value).toString()
    case 'u':
      return value.toString()
    default:
      return `'${value >= 32n && value < 127n ? String.fromCharCode(Number(value)) : `\\x${hex(value, 2)}`}'`
  }
}
