// The engine as a snippet machine: one vCPU at CPL 3 with the snippet's two regions mapped, run until the INT3 or a fault
// leaves an exception pending. Nothing is delivered, so there is no kernel.
import type { Cpu } from '../../src-main/cpu/cpu.ts'
import { instructionSet, type InstructionSet } from '../../src-main/cpu/instruction-set.ts'
import { EXIT } from '../../src-main/cpu/interpreter/loop.ts'
import { STATUS } from '../../src-main/cpu/semantics/context.ts'
import { AT, HOT_COUNTER_BYTES, HOT_COUNTERS, segAt } from '../../src-main/cpu/state/layout.ts'
import { bareCpu } from '../../src-main/cpu/test-flat64.ts'
import { loadImage, storeImage } from './engine-fpu.ts'
import {
  CODE_BASE,
  ENTRY,
  GS_BASE,
  INPUT_FLAGS,
  SLOT_BYTES,
  type SnippetCase,
  type SnippetMachine,
  STATE,
  STATE_BYTES,
  USER32_CS,
  USER64_CS,
  USER_DS,
  VECTOR,
  WINDOW_BASE,
  WINDOW_BYTES,
  WINDOW_PAGES,
  WINDOW_PAGE_BYTES,
} from './layout.ts'

/** Guest-physical layout: page tables, descriptor table, code page, window pages. */
const PHYSICAL = { tables: 0x1000, gdt: 0x8000, code: 0x10000, window: 0x11000 } as const
const GDT_LINEAR = 0x1000
/** In the same page. Offset of the permission map's base: SDM vol. 3, 8.7. */
const TSS_LINEAR = 0x1800
const TSS_LIMIT = 0x67
const TSS_MAP_BASE = 0x66
const RAM_BYTES = 1 << 20

/** Page table entry bits (SDM vol. 3, 4.5). */
const PTE = { P: 1n, RW: 2n, US: 4n, NX: 1n << 63n } as const
const USER_TABLE = PTE.P | PTE.RW | PTE.US

/** Descriptor bits 40..55: present, DPL 3, accessed; G, and L or D. */
const ATTRIBUTES = { data: 0xcff3, code64: 0xaffb, code32: 0xcffb, tss: 0x008b } as const
/** As Linux lays them out: null, kernel 32-bit code, kernel code, kernel data, user 32-bit code, user data, user code. */
const GDT = [
  0n,
  0x00cf9b000000ffffn,
  0x00af9b000000ffffn,
  0x00cf93000000ffffn,
  0x00cffb000000ffffn,
  0x00cff3000000ffffn,
  0x00affb000000ffffn,
]

/** PE MP ET NE WP AM PG */
const CR0 = 0x8005_0033n
/** PAE OSFXSR OSXMMEXCPT UMIP FSGSBASE OSXSAVE */
const CR4 = 0x5_0e20n
/** SCE LME LMA NXE */
const EFER = 0xd01n
/** A snippet is one instruction and the INT3; repeated strings come back in between. */
const MOST_LEAVES = 1000

/** The INT3 that ends a snippet must work whatever else does: an instruction set without it gets one that only reports. */
function withBreakpoint(set: InstructionSet): InstructionSet {
  const helpers: InstructionSet['helpers'] = {
    int3: (cpu) => {
      cpu.pend(VECTOR.BP, undefined, true)
      return STATUS.fault
    },
    ...set.helpers,
  }
  return { ...set, helpers }
}

export class EngineMachine implements SnippetMachine {
  readonly cpu: Cpu
  readonly #ram: number
  readonly #isTranslated: boolean

  constructor(isTranslated: boolean) {
    this.cpu = bareCpu(RAM_BYTES, 16, withBreakpoint(instructionSet(() => true)))
    this.#ram = this.cpu.map.ramBase
    this.#isTranslated = isTranslated
    // the first jump to a snippet, the one that enters it, makes it a region
    if (isTranslated) this.cpu.translateHot(1)
    this.#mapPages()
    this.#prepareSystem()
  }

  #mapPages(): void {
    let free: number = PHYSICAL.tables
    const newTable = () => (free += 0x1000) - 0x1000
    const root = newTable()
    const entry = (table: number, index: number) => this.#ram + table + 8 * index
    const mapPage = (linear: number, physical: number, bits: bigint) => {
      let table = root
      for (const shift of [39, 30, 21]) {
        const at = entry(table, Math.floor(linear / 2 ** shift) % 512)
        if (this.cpu.u64(at) === 0n) this.cpu.setU64(at, BigInt(newTable()) | USER_TABLE)
        table = Number(this.cpu.u64(at) & ~0xfffn)
      }
      this.cpu.setU64(entry(table, Math.floor(linear / 4096) % 512), BigInt(physical) | bits)
    }
    mapPage(GDT_LINEAR, PHYSICAL.gdt, PTE.P | PTE.RW)
    mapPage(CODE_BASE, PHYSICAL.code, USER_TABLE)
    mapPage(WINDOW_PAGES, PHYSICAL.window, USER_TABLE | PTE.NX)
    mapPage(WINDOW_PAGES + 4096, PHYSICAL.window + 4096, USER_TABLE | PTE.NX)
    if (free > PHYSICAL.gdt) throw new Error('page tables run into the descriptor table')
  }

  #prepareSystem(): void {
    const { cpu } = this
    GDT.forEach((descriptor, i) => {
      cpu.setU64(this.#ram + PHYSICAL.gdt + 8 * i, descriptor)
    })
    cpu.setU64(AT.gdtrBase, BigInt(GDT_LINEAR))
    cpu.setU32(AT.gdtrLimit, GDT.length * 8 - 1)
    cpu.setU32(AT.idtrLimit, 0)
    cpu.setU64(AT.cr3, BigInt(PHYSICAL.tables))
    cpu.setU64(AT.cr0, CR0)
    cpu.setU64(AT.cr4, CR4)
    cpu.setU64(AT.efer, EFER)
    cpu.setU64(AT.xcr0, 3n)
    // A task state segment whose I/O permission map lies behind its limit.
    this.#setSegment(7, 0x40, TSS_LINEAR, TSS_LIMIT, ATTRIBUTES.tss)
    cpu.view.setUint16(this.#ram + PHYSICAL.gdt + TSS_LINEAR - GDT_LINEAR + TSS_MAP_BASE, TSS_LIMIT + 1, true)
  }

  #setSegment(segment: number, selector: number, base: number, limit: number, attributes: number): void {
    const { cpu } = this
    cpu.setU64(segAt(segment, 'base'), BigInt(base))
    cpu.setU32(segAt(segment, 'limit'), limit)
    cpu.setU32(segAt(segment, 'attr'), attributes)
    cpu.setU32(segAt(segment, 'selector'), selector)
    cpu.setU32(segAt(segment, 'flat'), base === 0 && limit === 0xffff_ffff ? 1 : 0)
  }

  #enterUser(long: boolean): void {
    const { cpu } = this
    const whole = 0xffff_ffff
    this.#setSegment(1, long ? USER64_CS : USER32_CS, 0, whole, long ? ATTRIBUTES.code64 : ATTRIBUTES.code32)
    for (const segment of [0, 2, 3]) this.#setSegment(segment, USER_DS, 0, whole, ATTRIBUTES.data)
    this.#setSegment(4, 0, 0, 0, 0)
    this.#setSegment(5, USER_DS, GS_BASE, whole, ATTRIBUTES.data)
    cpu.setU32(AT.cpl, 3)
    // Predecoded code is for one mode: a new one looks the page up again.
    if (cpu.u32(AT.codeSize) !== (long ? 8 : 4)) cpu.flushTlb()
    cpu.setU32(AT.codeSize, long ? 8 : 4)
    cpu.setU32(AT.stackSize, long ? 8 : 4)
  }

  run(batch: readonly SnippetCase[]): Uint8Array[] {
    const { cpu } = this
    const code = this.#ram + PHYSICAL.code
    cpu.bytes.fill(0xcc, code, code + 4096)
    batch.forEach((snippet, slot) => {
      cpu.bytes.set(snippet.code, code + slot * SLOT_BYTES)
    })
    cpu.written(code, 4096)
    if (this.#isTranslated) cpu.bytes.fill(0, HOT_COUNTERS, HOT_COUNTERS + HOT_COUNTER_BYTES)
    // Snippets of both modes share the page; predecoded code is for one mode, so the modes take turns.
    const after: Uint8Array[] = []
    for (const mode of ['long64', 'compat32'] as const)
      batch.forEach((snippet, slot) => {
        if (snippet.mode === mode) after[slot] = this.#runOne(snippet, slot)
      })
    return after
  }

  #runOne(snippet: SnippetCase, slot: number): Uint8Array {
    const { cpu } = this
    this.#enterUser(snippet.mode === 'long64')
    const before = new DataView(snippet.before.buffer, snippet.before.byteOffset)
    cpu.bytes.set(snippet.before.subarray(STATE.gpr, STATE.gpr + 128), AT.gpr)
    cpu.setU64(AT.rip, BigInt(CODE_BASE + slot * SLOT_BYTES + ENTRY))
    cpu.rflags = (before.getUint32(STATE.rflags, true) & INPUT_FLAGS) | 0x202
    loadImage(cpu, before, STATE.fx)
    const window = this.#ram + PHYSICAL.window
    cpu.bytes.fill(0, window, window + WINDOW_PAGE_BYTES)
    const used = window + WINDOW_BASE - WINDOW_PAGES
    cpu.bytes.set(snippet.before.subarray(STATE.window, STATE.window + WINDOW_BYTES), used)
    cpu.setU32(AT.excVector, 0)
    this.#untilException(slot)
    return this.#collect(used)
  }

  /** Anything but an exception in the end is the engine's fault, and shows as vector 255. */
  #untilException(slot: number): void {
    for (let leaves = 0; leaves < MOST_LEAVES; leaves++) {
      const exit = this.cpu.run(100)
      if (exit === EXIT.exception) return
      if (exit === EXIT.halt) break
    }
    this.cpu.pend(255, slot)
  }

  #collect(window: number): Uint8Array {
    const { cpu } = this
    const state = new Uint8Array(STATE_BYTES)
    const view = new DataView(state.buffer)
    state.set(cpu.bytes.subarray(AT.gpr, AT.gpr + 128), STATE.gpr)
    const software = cpu.u32(AT.excSoft) !== 0
    view.setBigUint64(STATE.rip, cpu.u64(software ? AT.nextRip : AT.rip), true)
    view.setUint32(STATE.rflags, cpu.rflags, true)
    const vector = cpu.u32(AT.excVector)
    view.setUint16(STATE.vector, vector, true)
    view.setUint16(STATE.cs, cpu.u32(segAt(1, 'selector')), true)
    view.setUint32(STATE.error, cpu.u32(AT.excHasError) ? cpu.u32(AT.excError) : 0, true)
    if (vector === VECTOR.PF) view.setBigUint64(STATE.cr2, cpu.u64(AT.cr2), true)
    storeImage(cpu, view, STATE.fx)
    state.set(cpu.bytes.subarray(window, window + WINDOW_BYTES), STATE.window)
    return state
  }
}

/** Snippets in the interpreter, or each as a region of the translator. */
export function engineMachine(engine: 'interpreter' | 'translator' = 'interpreter'): SnippetMachine & {
  readonly cpu: Cpu
} {
  return new EngineMachine(engine === 'translator')
}
