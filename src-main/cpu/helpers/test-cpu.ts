/** A bare vCPU for tests: 2 MiB of RAM, a GDT with flat segments, an IDT, paging by one large page where a mode needs it. */
import type { Cpu } from '../cpu.ts'
import { instructionSet } from '../instruction-set.ts'
import { EXIT } from '../interpreter/loop.ts'
import { deliverException } from '../interrupts/deliver.ts'
import { AT, CS, RSP, segAt, TR } from '../state/layout.ts'
import { bareCpu } from '../test-flat64.ts'
import { cpuModel, type Vendor } from './cpu-model.ts'
import { refreshMode } from './modes.ts'
import { resetCpu } from './reset.ts'
import { writeSegment } from './segments.ts'

const START = 0x4000
const GDT = 0x1000
const IDT = 0x1800
const STACK = 0x8000
const PML4 = 0x10000
const flat = { base: 0n, limit: 0xffff_ffff }

export class TestCpu {
  readonly cpu: Cpu
  readonly ram: number
  readonly start = START
  readonly gdtAt = GDT

  constructor(vendor: Vendor) {
    const { model } = cpuModel({ model: 'max', vendor, features: [] })
    const set = instructionSet((feature) => model.has(feature))
    this.cpu = bareCpu(2 << 20, 16, set)
    this.cpu.model = model
    this.ram = this.cpu.map.ramBase
    resetCpu(this.cpu)
  }

  put(gpa: number, bytes: readonly number[]): void {
    this.cpu.bytes.set(bytes, this.ram + gpa)
  }
  put32(gpa: number, value: number): void {
    this.cpu.setU32(this.ram + gpa, value >>> 0)
  }
  read32(gpa: number): number {
    return this.cpu.u32(this.ram + gpa)
  }
  /** attr as the state keeps it. */
  descriptor(n: number, base: number, limit: number, attr: number): void {
    this.put32(GDT + n * 8, (limit & 0xffff) | ((base & 0xffff) << 16))
    this.put32(
      GDT + n * 8 + 4,
      ((base >>> 16) & 0xff) | ((attr & 0xf0ff) << 8) | (limit & 0xf0000) | (base & 0xff00_0000),
    )
  }
  /** 08 code, 10 data, 18 code of level 3, 20 data of level 3; in 64-bit mode 28 is 64-bit code of level 3. */
  gdt(long = false): void {
    this.descriptor(1, 0, 0xfffff, long ? 0xa09b : 0xc09b)
    this.descriptor(2, 0, 0xfffff, 0xc093)
    this.descriptor(3, 0, 0xfffff, 0xc0fb)
    this.descriptor(4, 0, 0xfffff, 0xc0f3)
    if (long) this.descriptor(5, 0, 0xfffff, 0xa0fb)
    this.cpu.setU64(AT.gdtrBase, BigInt(GDT))
    this.cpu.setU32(AT.gdtrLimit, 0x7ff)
    this.cpu.setU64(AT.idtrBase, BigInt(IDT))
    this.cpu.setU32(AT.idtrLimit, 0x7ff)
  }
  private begin(code: readonly number[]): void {
    this.put(START, code)
    this.cpu.setU64(AT.rip, BigInt(START))
    this.cpu.setGpr(RSP, BigInt(STACK))
    refreshMode(this.cpu)
  }

  real(code: readonly number[]): void {
    writeSegment(this.cpu, CS, { selector: 0, base: 0n, limit: 0xffff, attr: 0x93 })
    this.cpu.setU32(AT.idtrLimit, 0x3ff)
    this.begin(code)
  }
  protected(code: readonly number[], cpl: 0 | 3 = 0): void {
    this.gdt()
    this.cpu.setU64(AT.cr0, 0x11n)
    this.segments(cpl, cpl ? 0x1b : 8, 0xc09b)
    this.begin(code)
  }
  long(code: readonly number[]): void {
    this.gdt(true)
    this.cpu.view.setBigUint64(this.ram + PML4, BigInt(PML4 + 0x1000 + 7), true)
    this.cpu.view.setBigUint64(this.ram + PML4 + 0x1000, 0x87n, true)
    this.cpu.setU64(AT.cr3, BigInt(PML4))
    this.cpu.setU64(AT.cr0, 0x80000011n)
    this.cpu.setU64(AT.cr4, 0x20n)
    this.cpu.setU64(AT.efer, 0xd01n)
    this.segments(0, 8, 0xa09b)
    this.begin(code)
  }
  private segments(cpl: number, cs: number, codeAttr: number): void {
    const dpl = cpl << 5
    writeSegment(this.cpu, CS, { ...flat, selector: cs, attr: codeAttr | dpl })
    for (const n of [0, 2, 3, 4, 5])
      writeSegment(this.cpu, n, { ...flat, selector: cpl ? 0x23 : 0x10, attr: 0xc093 | dpl })
    this.cpu.setU32(AT.cpl, cpl)
  }

  gate32(vector: number, selector: number, offset: number, access: number): void {
    this.put32(IDT + vector * 8, (offset & 0xffff) | (selector << 16))
    this.put32(IDT + vector * 8 + 4, (access << 8) | (offset & 0xffff_0000))
  }
  gate64(vector: number, selector: number, offset: number, access: number, ist: number): void {
    this.put32(IDT + vector * 16, (offset & 0xffff) | (selector << 16))
    this.put32(IDT + vector * 16 + 4, ist | (access << 8) | (offset & 0xffff_0000))
    this.put32(IDT + vector * 16 + 8, 0)
  }
  callGate(n: number, selector: number, offset: number, access: number, parameters: number): void {
    this.put32(GDT + n * 8, (offset & 0xffff) | (selector << 16))
    this.put32(GDT + n * 8 + 4, parameters | (access << 8) | (offset & 0xffff_0000))
  }
  /** TSS at b000, selector 28, loaded. */
  tss32(esp0: number, ss0: number): void {
    this.descriptor(5, 0xb000, 0x67, 0x008b)
    this.put32(0xb004, esp0)
    this.put32(0xb008, ss0)
    writeSegment(this.cpu, TR, { selector: 0x28, base: 0xb000n, limit: 0x67, attr: 0x8b })
  }
  tss64(stacks: { ist1: number }): void {
    this.put32(0xb024, stacks.ist1)
    this.put32(0xb028, 0)
    writeSegment(this.cpu, TR, { selector: 0x38, base: 0xb000n, limit: 0x67, attr: 0x8b })
  }
  private push(value: number, size: number): void {
    const pointer = this.cpu.gpr(RSP) - BigInt(size)
    this.cpu.setGpr(RSP, pointer)
    this.cpu.setHostValue(this.ram + Number(pointer), size, BigInt(value))
  }
  push32(value: number): void {
    this.push(value, 4)
  }
  push64(value: number): void {
    this.push(value, 8)
  }

  /** Runs until something but a look or the budget ends it. */
  run(): number {
    for (let i = 0; i < 100; i++) {
      const exit = this.cpu.run(1000)
      if (exit === EXIT.exception && this.cpu.u32(AT.excSoft) !== 0) {
        const result = deliverException(this.cpu)
        if (result !== 'ok') throw new Error(result)
      } else if (exit !== EXIT.budget && exit !== EXIT.look) return exit
    }
    throw new Error(`does not end, rip ${this.cpu.u64(AT.rip).toString(16)}, CS ${this.cpu.u32(segAt(CS, 'selector'))}`)
  }
}

export const testCpu = (vendor: Vendor = 'AuthenticAMD'): TestCpu => new TestCpu(vendor)
