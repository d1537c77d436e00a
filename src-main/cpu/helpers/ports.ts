/** IN, OUT, INS, OUTS with their permission check (SDM vol. 1, 19.5). */
import type { Cpu } from '../cpu.ts'
import { STATUS } from '../semantics/context.ts'
import { DF } from '../semantics/flags.ts'
import { AT, ES, RAX, RCX, RDI, RDX, RSI, segAt, TR } from '../state/layout.ts'
import { checkPortBreakpoint } from './debug-registers.ts'
import type { Helper, HelperInsn } from './helper.ts'
import { ATTR, iopl, protectedMode, vm86 } from './modes.ts'
import { immediate } from './operands.ts'
import { gp, wrap } from './segments.ts'

type Width = 1 | 2 | 4

/** Above IOPL, and in virtual-8086 mode, the I/O bitmap of the TSS decides. */
function checkPort(cpu: Cpu, port: number, width: Width): void {
  if (protectedMode(cpu) && (vm86(cpu) || cpu.u32(AT.cpl) > iopl(cpu))) checkBitmap(cpu, port, width)
  checkPortBreakpoint(cpu, port, width)
}
function checkBitmap(cpu: Cpu, port: number, width: Width): void {
  const attr = cpu.u32(segAt(TR, 'attr'))
  const limit = cpu.u32(segAt(TR, 'limit'))
  const base = cpu.u64(segAt(TR, 'base'))
  if (!(attr & ATTR.present) || !(attr & 8) || limit < 103) throw gp(0)
  const map = Number(cpu.readLinear(wrap(cpu, base + 102n), 2, true)) + (port >> 3)
  if (map + 1 > limit) throw gp(0)
  const bits = Number(cpu.readLinear(wrap(cpu, base + BigInt(map)), 2, true)) >> (port & 7)
  if (bits & ((1 << width) - 1)) throw gp(0)
}

/** A device may have asked for an interrupt, or the end of the machine. */
const done = (cpu: Cpu): number => (cpu.u32(AT.attention) ? STATUS.steer : STATUS.next)

const input =
  (port: (cpu: Cpu, insn: HelperInsn) => number): Helper =>
  (cpu, insn) => {
    const width = insn.variant.operands[0]!.size as Width
    const at = port(cpu, insn)
    checkPort(cpu, at, width)
    cpu.setGpr(RAX, BigInt(cpu.host.portRead(at, width) >>> 0), width)
    return done(cpu)
  }
const output =
  (port: (cpu: Cpu, insn: HelperInsn) => number): Helper =>
  (cpu, insn) => {
    const width = insn.variant.operands[0]!.size as Width
    const at = port(cpu, insn)
    checkPort(cpu, at, width)
    cpu.host.portWrite(at, width, Number(cpu.gpr(RAX, width)))
    return done(cpu)
  }
const fromImmediate = (cpu: Cpu, insn: HelperInsn): number => immediate(cpu, insn) & 0xff
const fromDx = (cpu: Cpu): number => Number(cpu.gpr(RDX, 2))

/** Elements before the run loop looks at interrupts. */
const BURST = 1024

/** INS and OUTS: `move` transfers one element; pointer and counter have the address size. */
const block =
  (
    width: Width | undefined,
    pointer: number,
    move: (cpu: Cpu, insn: HelperInsn, at: bigint, width: Width) => void,
  ): Helper =>
  (cpu, insn) => {
    const size = width ?? (Math.min(insn.variant.operandSize, 4) as Width)
    const address = 2 << ((cpu.view.getUint8(insn.record + 7) >> 5) & 3)
    const step = BigInt(cpu.u32(AT.eflags) & DF ? -size : size)
    checkPort(cpu, fromDx(cpu), size)
    const repeated = insn.variant.repeat !== 0
    for (let left = BURST; left > 0; left--) {
      if (repeated && cpu.gpr(RCX, address) === 0n) return done(cpu)
      move(cpu, insn, cpu.gpr(pointer, address), size)
      cpu.setGpr(pointer, cpu.gpr(pointer, address) + step, address)
      if (!repeated) return done(cpu)
      cpu.setGpr(RCX, cpu.gpr(RCX, address) - 1n, address)
    }
    // state.rip is still this instruction: it goes on after the look
    return cpu.gpr(RCX, address) === 0n ? done(cpu) : STATUS.leave
  }
function insert(cpu: Cpu, _insn: HelperInsn, offset: bigint, width: Width): void {
  const at = cpu.linear(ES, offset, width, true)
  // a fault must come before the device has given its data away
  cpu.probeWrite(at, width)
  cpu.writeLinear(at, width, BigInt(cpu.host.portRead(fromDx(cpu), width) >>> 0))
}
function extract(cpu: Cpu, insn: HelperInsn, offset: bigint, width: Width): void {
  const segment = (cpu.view.getUint8(insn.record + 7) >> 2) & 7
  const value = cpu.readLinear(cpu.linear(segment, offset, width, false), width)
  cpu.host.portWrite(fromDx(cpu), width, Number(value))
}

export const PORTS: Readonly<Record<string, Helper>> = {
  in_imm: input(fromImmediate),
  in_dx: input(fromDx),
  out_imm: output(fromImmediate),
  out_dx: output(fromDx),
  insb: block(1, RDI, insert),
  ins: block(undefined, RDI, insert),
  outsb: block(1, RSI, extract),
  outs: block(undefined, RSI, extract),
}
