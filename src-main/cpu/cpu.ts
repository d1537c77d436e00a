/** One vCPU: its state, its memory accesses, its interpreter, its helpers. Knows no device: what it needs of the machine is CpuHost. */
import { gpaOf, type CpuHost } from './cpu-host.ts'
import { CodeFetch } from './code-fetch.ts'
import type { Core } from './core.ts'
import type { CoreExports } from './core-exports.ts'
import { Breakpoints } from './breakpoints.ts'
import { CodeSlots } from './code-slots.ts'
import { modeKey } from './decode/record.ts'
import { handlerPlaces } from './decode/variants.ts'
import { MAX_MODEL, type CpuModel } from './helpers/cpu-model.ts'
import { vectorFault } from './helpers/blocked.ts'
import { CR4 } from './helpers/modes.ts'
import { GuestFault, PendingFault, type HelperInsn } from './helpers/helper.ts'
import { ACCESS } from './mmu/access.ts'
import { REFUSED } from './mmu/mmu.ts'
import { clearLocalList, emptyEntry } from './mmu/local-pages.ts'
import { forgetSecond, forgetSecondPage, mayBeLarge } from './mmu/second-tlb.ts'
import { STATUS } from './semantics/context.ts'
import {
  AT,
  CODE_TLB_ENTRIES,
  CODE_TLB_INVALID,
  CODE_TLB_SET,
  CODE_TLB_SUPERVISOR,
  CODE_TLB_USER,
  CROSS_RECORD,
  PAGE_INFO,
  ramAddress,
  RECORD,
  SCRATCH,
  TLB_ENTRIES,
  TLB_INVALID,
  TLB_NEVER,
  TLB_SET,
  TLB_STRIDE,
  TLB_SUPERVISOR,
  TLB_SUPERVISOR_AC,
  TLB_USER,
  type MemoryMap,
} from './state/layout.ts'
import { HANDLER, COUNTED_JUMPS, KERNEL_WEIGHT } from './region.ts'
import { Cooling } from './translator/cooling.ts'
import type { TranslateOptions } from './translator/jobs.ts'
import { RegionMaker } from './translator/maker.ts'
import { Translator } from './translator/translator.ts'

export class Cpu {
  readonly map: MemoryMap
  readonly host: CpuHost
  readonly bytes: Uint8Array
  readonly view: DataView
  /** What CPUID says; set before resetCpu, which passes the vendor on to the state. */
  model: CpuModel = MAX_MODEL
  /** Model-specific registers without a field in the state: kept by helpers/. */
  readonly msrs = new Map<number, bigint>()
  /** How often "rdmsr N" or "wrmsr N" was refused. */
  readonly refusedMsrs = new Map<string, number>()
  /** TF and privilege level before the current instruction, while interrupts/debug.ts single-steps. */
  stepping = false
  levelBefore = 0
  /** How often each undefined opcode was met, by its first bytes. */
  readonly undefinedOpcodes = new Map<string, number>()
  private readonly exports: CoreExports
  /** How often each was called, by the handler's number: what neither the interpreter nor regions do themselves. */
  readonly helperCalls: Float64Array
  private readonly code: CodeSlots
  /** A debugger's. */
  readonly breakpoints: Breakpoints
  private readonly fetch: CodeFetch
  private readonly memory: WebAssembly.Memory
  readonly core: Core
  /** Undefined while everything is interpreted. */
  translator: Translator | undefined
  private cooling: Cooling | undefined

  constructor(memory: WebAssembly.Memory, map: MemoryMap, host: CpuHost, core: Core) {
    this.map = map
    this.host = host
    this.bytes = new Uint8Array(memory.buffer)
    this.view = new DataView(memory.buffer)
    this.code = new CodeSlots(this.view, this.bytes, map, {
      flushCodeTlb: () => this.flushCodeTlb(),
      dropWriteTags: (host) => this.exports.dropWriteTags(map.is64 ? BigInt(host) : host),
    })
    this.breakpoints = new Breakpoints(this, this.code)
    this.memory = memory
    this.core = core
    this.helperCalls = new Float64Array(core.variants.length)
    this.code.onEmpty = (page) => this.translator?.drop(page, 0, 4096)
    this.fetch = new CodeFetch(this, this.code, core.handlerIds, core.set.rows)
    this.exports = this.build(memory, core.module)
    this.prepareTables()
    this.setU64(AT.tlb, BigInt(TLB_SUPERVISOR))
    this.setU64(AT.codeTlb, BigInt(CODE_TLB_SUPERVISOR))
    this.setU32(AT.hotEvery, COUNTED_JUMPS)
    this.setU32(AT.hotKernel, KERNEL_WEIGHT)
  }

  /* ---- construction ---- */

  private build(memory: WebAssembly.Memory, module: WebAssembly.Module): CoreExports {
    const env = {
      memory,
      mmioRead: (low: number, high: number, size: number) =>
        this.host.mmioRead(gpaOf(low, high), this.bytes.subarray(SCRATCH, SCRATCH + size)),
      mmioWrite: (low: number, high: number, size: number) =>
        this.host.mmioWrite(gpaOf(low, high), this.bytes.slice(SCRATCH, SCRATCH + size)),
      watched: (low: number, high: number, access: number, size: number) =>
        this.breakpoints.check((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0), access, size),
      helper: (id: number, record: number, at: number) => this.callHelper(id, record, at),
      codeMiss: (low: number, high: number) => this.fetch.miss(low, high),
      decode: (record: number) => this.fetch.decode(record),
      decodeCross: (record: number) => this.fetch.decodeCross(record),
      decodeAlone: () => this.fetch.decodeAlone(),
      hot: (record: number) => this.hot(record),
      dropRegions: (page: number, from: number, to: number) => this.translator?.drop(page, from, to),
      operandFault: (id: number) => {
        const first = vectorFault(this, this.core.variants[id]!)
        if (first !== undefined) this.pend(first)
      },
    }
    return new WebAssembly.Instance(module, { env }).exports as unknown as CoreExports
  }

  private prepareTables(): void {
    for (let i = 0; i < TLB_ENTRIES; i++) emptyEntry(this.view, TLB_INVALID + i * TLB_STRIDE, i)
    for (let i = 0; i < CODE_TLB_ENTRIES; i++)
      this.view.setBigUint64(CODE_TLB_INVALID + i * 16, BigInt(i ^ 1) << 12n, true)
    this.bytes.copyWithin(TLB_NEVER, TLB_INVALID, TLB_INVALID + TLB_SET)
    for (let i = 1; i <= 16; i++) this.view.setUint16(CROSS_RECORD + i * RECORD, HANDLER.pageEnd, true)
    this.flushTlb()
  }

  /* ---- state ---- */

  u32(at: number): number {
    return this.view.getUint32(at, true)
  }
  setU32(at: number, value: number): void {
    this.view.setUint32(at, value, true)
  }
  u64(at: number): bigint {
    return this.view.getBigUint64(at, true)
  }
  setU64(at: number, value: bigint): void {
    this.view.setBigUint64(at, BigInt.asUintN(64, value), true)
  }
  /** General register `n`, the low `size` bytes. */
  gpr(n: number, size = 8): bigint {
    return BigInt.asUintN(size * 8, this.u64(AT.gpr + 8 * n))
  }
  /** Writes as the instruction set does: 4 bytes clear the upper half, 1 and 2 keep the rest. */
  setGpr(n: number, value: bigint, size = 8): void {
    const at = AT.gpr + 8 * n
    if (size === 8) this.setU64(at, value)
    else if (size === 4) this.setU64(at, BigInt.asUintN(32, value))
    else if (size === 2) this.view.setUint16(at, Number(value & 0xffffn), true)
    else this.view.setUint8(at, Number(value & 0xffn))
  }
  /** All of RFLAGS. */
  get rflags(): number {
    return this.u32(AT.eflags) | this.exports.flags(this.u32(AT.ccOp), this.u64(AT.ccRes), this.u64(AT.ccB)) | 2
  }
  set rflags(value: number) {
    this.setU32(AT.eflags, value & ~0x8d7)
    this.setU64(AT.ccB, BigInt(value & 0x8d5))
    this.setU32(AT.ccOp, 0)
    this.selectTlb()
  }

  /* ---- memory ---- */

  /** Data access with the current privilege (throws PendingFault). Sizes up to 16. */
  private reach(linear: bigint, size: number, access: number): number {
    const host = this.exports.slow(BigInt.asIntN(64, linear), access, size)
    // an i32 comes back signed: with 2 GiB of RAM and more, addresses have its highest bit
    const at = typeof host === 'bigint' ? Number(host) : host >>> 0
    if (at === 0) throw new PendingFault()
    return at
  }
  private userBit(): number {
    return this.u32(AT.cpl) === 3 ? ACCESS.user : 0
  }
  /** Reads `size` (1, 2, 4, 8) bytes at a linear address; `implicit`: by the processor itself (descriptors, task state). */
  readLinear(linear: bigint, size: number, implicit = false): bigint {
    const at = this.reach(linear, size, ACCESS.read | (implicit ? ACCESS.implicit : this.userBit()))
    return this.hostValue(at, size)
  }
  writeLinear(linear: bigint, size: number, value: bigint, implicit = false): void {
    const at = this.reach(linear, size, ACCESS.write | (implicit ? ACCESS.implicit : this.userBit()))
    this.setHostValue(at, size, value)
    this.commit(at)
  }
  /** Makes sure that a later write of `size` bytes cannot fault. */
  probeWrite(linear: bigint, size: number, implicit = false): void {
    this.reach(linear, size, ACCESS.write | (implicit ? ACCESS.implicit : this.userBit()))
    this.setU32(AT.commitKind, 0)
  }
  /** Linear address of segment:offset for an access; throws PendingFault where segmentation refuses it. */
  linear(segment: number, offset: bigint, size: number, write: boolean): bigint {
    const address = this.exports.linear(segment, BigInt.asIntN(64, offset), size | (write ? 0x100 : 0))
    if (address === REFUSED) throw new PendingFault()
    return BigInt.asUintN(64, address)
  }
  hostValue(at: number, size: number): bigint {
    if (size === 8) return this.view.getBigUint64(at, true)
    if (size === 4) return BigInt(this.view.getUint32(at, true))
    return BigInt(size === 2 ? this.view.getUint16(at, true) : this.view.getUint8(at))
  }
  setHostValue(at: number, size: number, value: bigint): void {
    if (size === 8) this.view.setBigUint64(at, BigInt.asUintN(64, value), true)
    else if (size === 4) this.view.setUint32(at, Number(BigInt.asUintN(32, value)), true)
    else if (size === 2) this.view.setUint16(at, Number(value & 0xffffn), true)
    else this.view.setUint8(at, Number(value & 0xffn))
  }
  /** After a write through a host address. */
  commit(at: number): void {
    if (at < this.map.ramBase && at >= SCRATCH) this.exports.commit()
  }
  /** Guest-physical address behind a linear one, for debuggers: undefined when not mapped. Leaves no trace. */
  probe(linear: bigint): bigint | undefined {
    const saved = [AT.cr2, AT.excVector, AT.excError, AT.excHasError].map((at) => [at, this.u64(at)] as const)
    const gpa = this.exports.translate(BigInt.asIntN(64, linear), ACCESS.implicit)
    if (gpa !== -1n) return BigInt.asUintN(64, gpa)
    for (const [at, value] of saved) this.setU64(at, value)
    return undefined
  }

  /* ---- translation caches ---- */

  /** Forgets all translations of addresses, data and code. */
  flushTlb(): void {
    for (const set of [TLB_USER, TLB_SUPERVISOR, TLB_SUPERVISOR_AC])
      this.bytes.copyWithin(set, TLB_INVALID, TLB_INVALID + TLB_SET)
    clearLocalList(this.view)
    forgetSecond(this.view, this.bytes, true)
    this.flushCodeTlb()
    this.setU64(AT.tlbFlushes, this.u64(AT.tlbFlushes) + 1n)
  }
  /** The same, but for global pages where CR4.PGE says that there are any: another CR3. */
  flushLocalTlb(): void {
    if (!(this.u32(AT.cr4) & CR4.PGE)) return this.flushTlb()
    this.exports.forgetLocal()
    forgetSecond(this.view, this.bytes, false)
    this.setU64(AT.tlbFlushes, this.u64(AT.tlbFlushes) + 1n)
  }
  private flushCodeTlb(): void {
    for (const set of [CODE_TLB_USER, CODE_TLB_SUPERVISOR])
      this.bytes.copyWithin(set, CODE_TLB_INVALID, CODE_TLB_INVALID + CODE_TLB_SET)
  }
  /** INVLPG. */
  flushPage(linear: bigint): void {
    if (mayBeLarge(this.bytes, linear)) return this.flushTlb()
    forgetSecondPage(this.bytes, linear)
    const index = Number((linear >> 12n) & BigInt(TLB_ENTRIES - 1))
    for (const set of [TLB_USER, TLB_SUPERVISOR, TLB_SUPERVISOR_AC])
      this.bytes.copyWithin(
        set + index * TLB_STRIDE,
        TLB_INVALID + index * TLB_STRIDE,
        TLB_INVALID + (index + 1) * TLB_STRIDE,
      )
    const code = (index & (CODE_TLB_ENTRIES - 1)) * 16
    for (const set of [CODE_TLB_USER, CODE_TLB_SUPERVISOR])
      this.bytes.copyWithin(set + code, CODE_TLB_INVALID + code, CODE_TLB_INVALID + code + 16)
  }
  /** CPL, AC or CR0.AM changed. */
  selectTlb(): void {
    this.exports.selectTlb()
  }
  /** Code and stack size, and the TLB sets of the privilege level. A code TLB set holds code decoded for one mode only. */
  setMode(codeSize: 2 | 4 | 8, stackSize: 2 | 4 | 8): void {
    this.setU32(AT.codeSize, codeSize)
    this.setU32(AT.stackSize, stackSize)
    this.exports.selectTlb()
    const user = this.u32(AT.cpl) === 3
    const at = user ? AT.codeModeUser : AT.codeModeSupervisor
    const key = modeKey(this.fetch.mode())
    if (this.u32(at) === key) return
    this.setU32(at, key)
    const set = user ? CODE_TLB_USER : CODE_TLB_SUPERVISOR
    this.bytes.copyWithin(set, CODE_TLB_INVALID, CODE_TLB_INVALID + CODE_TLB_SET)
  }
  /** RAM at [offset, offset+length) of the memory was written by a device: predecoded code of it is dropped. */
  written(at: number, length: number): void {
    const { ramBase } = this.map
    for (let from = at; from < at + length;) {
      const end = Math.min(at + length, Math.floor(from / 4096) * 4096 + 4096)
      if (this.u32(PAGE_INFO + Math.floor((from - ramBase) / 4096) * 4) !== 0)
        this.exports.dropCode(this.map.is64 ? BigInt(from) : from, this.map.is64 ? BigInt(end - from) : end - from)
      from = end
    }
  }

  /** Forgets all predecoded code: RAM was loaded anew. */
  dropAllCode(): void {
    this.code.dropAll()
  }

  /** Guest-physical address to fetch code from, or -1 with a page fault pending. */
  translateFetch(linear: bigint): number {
    const gpa = this.exports.translate(BigInt.asIntN(64, linear), ACCESS.fetch | this.userBit())
    return gpa === -1n ? -1 : Number(BigInt.asUintN(64, gpa))
  }
  /** Place of a guest-physical address in the memory, or -1. */
  ramAddress(gpa: number): number {
    return ramAddress(this.map, gpa)
  }

  /* ---- exceptions and helpers ---- */

  /** Delivers an external interrupt the usual way (interpreter/transfers.ts); false, with nothing changed, when it is not usual. */
  quickInterrupt(vector: number): boolean {
    return this.exports.interrupt(vector) !== 0
  }
  /** Leaves an exception pending in the state. */
  pend(vector: number, code?: number, software = false): void {
    this.setU32(AT.excVector, vector)
    this.setU32(AT.excError, code ?? 0)
    this.setU32(AT.excHasError, code === undefined ? 0 : 1)
    this.setU32(AT.excSoft, software ? 1 : 0)
  }

  private callHelper(id: number, record: number, host: number): number {
    this.helperCalls[id]!++
    const insn: HelperInsn = { variant: this.core.variants[id]!, record, host }
    try {
      return this.core.helpers[id]!(this, insn)
    } catch (error) {
      if (error instanceof GuestFault) this.pend(error.vector, error.code)
      else if (!(error instanceof PendingFault)) throw error
      return STATUS.fault
    }
  }

  /* ---- translation ---- */

  /** From now on code that is jumped to `threshold` (1 to 65535) times is translated; `options.coolEvery` makes of it a rate. */
  translateHot(threshold: number, options: TranslateOptions = {}): Translator {
    const { map, memory, exports } = this
    const { set, variants } = this.core
    const { operations = set.operations, thread, coolEvery } = options
    this.cooling = coolEvery === undefined ? undefined : new Cooling(memory, coolEvery, this.u32(AT.retired))
    this.translator ??= new Translator({
      memory,
      map,
      env: { ...exports, memory },
      table: exports.table,
      maker:
        thread ??
        new RegionMaker({
          buffer: memory.buffer,
          map,
          rows: set.rows,
          operations,
          handlers: handlerPlaces(variants),
        }),
      placeOf: (record) => this.code.find(record),
      now: () => performance.now(),
    })
    const every = threshold < 100 * COUNTED_JUMPS ? 1 : COUNTED_JUMPS
    this.setU32(AT.hotEvery, every)
    this.setU32(AT.hotKernel, every === 1 ? 1 : KERNEL_WEIGHT)
    this.setU32(AT.hotAt, Math.round(threshold / every))
    return this.translator
  }
  dropRegions(): void {
    this.translator?.dropAll()
  }
  private hot(record: number): void {
    if (this.breakpoints.executing) return
    const place = this.code.find(record)
    if (!place) return
    const slot = this.fetch.following()
    const page = slot === undefined ? undefined : this.code.find(slot)?.page
    const after = slot !== undefined && page !== undefined && page !== place.page ? { page, slot } : undefined
    this.translator?.translate({ ...place, record, mode: this.fetch.mode(), after })
  }

  /** Runs `slice` instructions (in translated code a few more, but never when `slice` is 1); returns an EXIT of interpreter/loop.ts. */
  run(slice: number): number {
    if (this.u32(AT.dataPage) !== 0) this.code.dropDataPage()
    this.cooling?.at(this.u32(AT.retired))
    return this.exports.run(slice)
  }
}
