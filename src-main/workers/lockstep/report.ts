/** What is printed of a difference between the translator and the interpreter: the guest's code, and both processors. */
import type { RegisterValue } from '../../contract/debug.ts'
import { disassemble } from '../../debug/disassembly.ts'
import { readRegisters } from '../../debug/registers.ts'
import type { Difference, Lockstep } from '../../machine/lockstep.ts'
import type { Machine } from '../../machine/machine.ts'
import { infoRegisters } from '../monitor/registers.ts'

/** Instructions shown at a place, and the longest one's bytes (SDM vol. 2, 2.3.11). */
const SHOWN = 12
const LONGEST = 15

function codeAt(machine: Machine, given?: bigint): string {
  const { cpu } = machine
  const bytes: number[] = []
  const { registers } = readRegisters(cpu)
  const register = (name: string): RegisterValue => registers.find((each) => each.name === name)!
  const base = register('cs_base').value
  const rip = given ?? register('rip').value
  for (let at = 0; at < SHOWN * LONGEST; at++) {
    const gpa = cpu.probe(BigInt.asUintN(64, base + rip + BigInt(at)))
    const byte = gpa === undefined ? undefined : machine.ram.readU8(Number(gpa))
    if (byte === undefined) break
    bytes.push(byte)
  }
  const { flags } = register('cs')
  const bits = flags.includes('64-bit') ? 64 : flags.includes('32-bit') ? 32 : 16
  const lines = disassemble({ bytes: Uint8Array.from(bytes), address: rip, bits, most: SHOWN })
  if (lines.length === 0) return `  ${rip.toString(16)}: not mapped`
  return lines.map(({ address, text }) => `  ${address.toString(16)}: ${text}`).join('\n')
}

const indent = (text: string): string => text.replaceAll(/^/gm, '  ')

export function reportOf(lockstep: Lockstep, difference: Difference): string {
  const { translated, interpreted } = lockstep.machines
  const { after, instructions, rip, fields } = difference
  return [
    `the translator and the interpreter differ within ${instructions} instructions after the first ${after}:`,
    ...fields.map((field) => `  ${field}`),
    'these instructions begin at',
    codeAt(interpreted, rip),
    'and end, interpreted, before',
    codeAt(interpreted),
    'translated:',
    indent(infoRegisters(translated)),
    'interpreted:',
    indent(infoRegisters(interpreted)),
  ].join('\n')
}
