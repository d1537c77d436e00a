/** Packets about registers: g, G, p, P. */
import type { Debuggable } from '../../contract/debug.ts'
import { BAD_REQUEST, littleEndian, parseLittleEndian } from './packet.ts'
import { GDB_REGISTERS, type GdbRegister } from './target.ts'

type Values = ReadonlyMap<string, { readonly value: bigint; readonly bits: number }>

async function values(target: Debuggable): Promise<Values> {
  const { registers } = await target.ask('registers', {})
  return new Map(registers.map(({ name, value, bits }) => [name, { value, bits }]))
}

const shown = (all: Values, { bits, source }: GdbRegister): bigint => BigInt.asUintN(bits, all.get(source)!.value)

export async function readAll(target: Debuggable): Promise<string> {
  const all = await values(target)
  return GDB_REGISTERS.map((register) => littleEndian(shown(all, register), register.bits)).join('')
}

export async function readOne(target: Debuggable, data: string): Promise<string> {
  const register = GDB_REGISTERS[parseInt(data, 16)]
  return register ? littleEndian(shown(await values(target), register), register.bits) : BAD_REQUEST
}

/** What gdb shows cut off keeps its upper bits. */
async function change(target: Debuggable, all: Values, register: GdbRegister, value: bigint): Promise<void> {
  if (shown(all, register) === value) return
  const { value: old, bits } = all.get(register.source)!
  const kept = bits > register.bits ? (old >> BigInt(register.bits)) << BigInt(register.bits) : 0n
  await target.ask('setRegister', { name: register.source, value: kept | value })
}

export async function writeOne(target: Debuggable, data: string): Promise<string> {
  const [number = '', hex = ''] = data.split('=')
  const register = GDB_REGISTERS[parseInt(number, 16)]
  const value = parseLittleEndian(hex)
  if (!register || value === undefined || hex.length !== register.bits / 4) return BAD_REQUEST
  await change(target, await values(target), register, value)
  return 'OK'
}

export async function writeAll(target: Debuggable, data: string): Promise<string> {
  const all = await values(target)
  let at = 0
  for (const register of GDB_REGISTERS) {
    const length = register.bits / 4
    const value = parseLittleEndian(data.slice(at, at + length))
    if (value === undefined || data.length < at + length) return BAD_REQUEST
    await change(target, all, register, value)
    at += length
  }
  return 'OK'
}
