import type { Timers } from '../../base/clock.ts'
import { type Log, silentLog } from '../../base/log.ts'
import type { SnapshotFields, Snapshotable } from '../../base/snapshotable.ts'
import { ApicTimer } from './apic-timer.ts'
import {
  BASE,
  DEFAULT_BASE,
  ESR,
  LVT_MASKED,
  MODE,
  MODE_NAMES,
  MSI_ADDRESS,
  REG,
  SNAPSHOT_VERSION,
  SVR_ENABLE,
  VERSION,
  X2APIC_PLAIN,
  mayBecomeBase,
} from './apic-registers.ts'
import { type ApicAddress, isDestination, x2apicLogicalId } from './apic-destination.ts'
import { InterruptQueue } from './interrupt-queue.ts'
import { LocalVectorTable } from './local-vector-table.ts'

/** The controller behind LINT0: the 8259A pair. */
export interface ExternalController {
  acknowledge(): number
}

export interface LocalApicOptions {
  readonly timers: Timers
  readonly log?: Log
  /** Guest time (ns) at which the TSC reaches `tsc`; may lie in the past. */
  readonly timeAtTsc: (tsc: bigint) => number
}

/**
 * The local APIC of the one vCPU (SDM Vol. 3 chapter 11): xAPIC registers by MMIO, x2APIC registers by MSR. It is the only way to
 * the CPU's INTR: the 8259A pair comes through LINT0, everything else by messages.
 */
export class LocalApic implements Snapshotable {
  /** Called whenever an interrupt can be taken (`hasInterrupt` is true): the vCPU sets its attention flag. */
  onPending: (() => void) | undefined
  /** An NMI arrived (LINT1, ICR or a message). */
  onNmi: (() => void) | undefined
  /** EOI of a level-triggered vector: to the IO-APIC. */
  onEoi: ((vector: number) => void) | undefined
  /** IA32_APIC_BASE moved the page; undefined when it is not there (disabled, or x2APIC mode). */
  onMove: ((gpa: number | undefined) => void) | undefined
  /** Where LINT0's vectors come from. */
  external: ExternalController | undefined

  private readonly log: Log
  private readonly timer: ApicTimer
  private readonly queue = new InterruptQueue()
  private readonly lvt = new LocalVectorTable()

  private base = DEFAULT_BASE | BASE.BSP | BASE.ENABLE
  private id = 0
  private taskPriority = 0
  private logicalId = 0
  private destinationFormat = 0xffffffff
  private spurious = 0xff
  private errors = 0
  private latchedErrors = 0
  private icr = 0
  private icrHigh = 0
  private lint0 = false
  private ready = false

  /** Readable registers, but for the vector sets and the local vector table. */
  private readonly readers: Readonly<Record<number, () => number>> = {
    [REG.ID]: () => (this.id << 24) >>> 0,
    [REG.VERSION]: () => VERSION,
    [REG.TPR]: () => this.taskPriority,
    [REG.APR]: () => 0,
    [REG.PPR]: () => this.queue.priority(this.taskPriority),
    [REG.EOI]: () => 0,
    [REG.RRD]: () => 0,
    [REG.LDR]: () => this.logicalId >>> 0,
    [REG.DFR]: () => this.destinationFormat,
    [REG.SVR]: () => this.spurious,
    [REG.ESR]: () => this.latchedErrors,
    [REG.ICR]: () => this.icr,
    [REG.ICR_HIGH]: () => this.icrHigh >>> 0,
    [REG.TIMER_INITIAL]: () => this.timer.initial,
    [REG.TIMER_CURRENT]: () => this.timer.current(),
    [REG.TIMER_DIVIDE]: () => this.timer.divide,
  }

  constructor(options: LocalApicOptions) {
    this.log = options.log ?? silentLog
    const fire = (): void => this.deliverLocal(REG.LVT_TIMER)
    this.timer = new ApicTimer(options.timers, options.timeAtTsc, fire)
    this.reset()
  }

  /** Power-up state (SDM Vol. 3 §11.4.7.1): software-disabled, every local interrupt masked. */
  reset(): void {
    const moved = this.base !== (DEFAULT_BASE | BASE.BSP | BASE.ENABLE)
    this.base = DEFAULT_BASE | BASE.BSP | BASE.ENABLE
    this.id = 0
    this.resetRegisters()
    if (moved) this.onMove?.(this.page())
  }

  /**
   * Virtual-wire mode, as firmware leaves the boot processor: enabled, LINT0 ExtINT, LINT1 NMI (MultiProcessor Specification
   * 1.4 §3.6.2.2). The machine calls it when it starts a kernel without firmware.
   */
  setVirtualWire(): void {
    this.spurious = SVR_ENABLE | 0xff
    this.lvt.set(REG.LVT_LINT0, MODE.EXTINT << 8)
    this.lvt.set(REG.LVT_LINT1, MODE.NMI << 8)
    this.update()
  }

  // ── The CPU's side ──

  /** Can an interrupt be taken now, the task priority considered (RFLAGS.IF is the CPU's own matter)? */
  hasInterrupt(): boolean {
    return this.ready
  }

  /** INTA: the vector to deliver; a fixed one moves from IRR to ISR. The spurious vector when the request has gone. */
  acknowledge(): number {
    if (this.acceptsExternal() && this.lint0 && this.external) {
      const vector = this.external.acknowledge()
      this.update()
      return vector
    }
    const vector = this.enabled() ? this.queue.candidate(this.taskPriority) : -1
    if (vector < 0) return this.spurious & 0xff
    this.queue.serve(vector)
    this.update()
    return vector
  }

  /** CR8, bits 7:4 of the task priority (SDM Vol. 3 §11.8.6.1). */
  get cr8(): number {
    return this.taskPriority >> 4
  }

  set cr8(value: number) {
    this.taskPriority = (value & 0xf) << 4
    this.update()
  }

  // ── Inputs ──

  /** Level of LINT0: INTR of the 8259A pair. */
  setLint0(level: boolean): void {
    const rising = level && !this.lint0
    this.lint0 = level
    if (rising && this.lvt.mode(REG.LVT_LINT0) !== MODE.EXTINT) this.deliverLocal(REG.LVT_LINT0)
    this.update()
  }

  /** An edge on LINT1, the NMI pin. */
  pulseLint1(): void {
    if (this.globallyEnabled()) this.deliverLocal(REG.LVT_LINT1)
    else this.onNmi?.()
  }

  /** A message-signalled interrupt (SDM Vol. 3 §11.11): a write of `data` to 0xFEExxxxx. Others are for RAM, and refused. */
  send(address: number, data: number): void {
    if ((address & 0xfff00000) >>> 0 !== MSI_ADDRESS) {
      this.log.warn('local-apic', `message to 0x${address.toString(16)}, which is no interrupt address`)
      return
    }
    const logical = (address & 0x4) !== 0
    if (!this.globallyEnabled() || !isDestination(this.address(), (address >>> 12) & 0xff, logical)) return
    this.accept((data >>> 8) & 7, data & 0xff, (data & 0x8000) !== 0)
  }

  // ── Registers by MMIO ──

  readMmio(offset: number, width: number): number {
    if (this.page() === undefined) return 0xffffffff
    const register = offset & 0xff0
    // Only the first dword of each 16 bytes is the register (SDM Vol. 3 §11.4.1).
    const value = (offset & 0xf) < 4 ? this.read(register) : 0
    const shifted = value >>> ((offset & 3) * 8)
    return width === 4 ? shifted : width === 2 ? shifted & 0xffff : shifted & 0xff
  }

  writeMmio(offset: number, width: number, value: number): void {
    if (this.page() === undefined) return
    if (width !== 4 || (offset & 0xf) !== 0) {
      this.log.warn('local-apic', `write of ${width} bytes at offset 0x${offset.toString(16)} ignored`)
      return
    }
    if (offset === REG.ID) this.id = value >>> 24
    else if (offset === REG.LDR) this.logicalId = value & 0xff000000
    else if (offset === REG.DFR) this.destinationFormat = (value | 0x0fffffff) >>> 0
    else if (offset === REG.ICR_HIGH) this.icrHigh = value & 0xff000000
    else if (!this.write(offset, value)) this.error(ESR.ILLEGAL_REGISTER)
    this.update()
  }

  // ── MSRs ──

  /** IA32_APIC_BASE. */
  readBase(): bigint {
    return this.base
  }

  /** IA32_APIC_BASE; false for a reserved bit or a forbidden change of mode (SDM Vol. 3 §11.12.5): #GP. */
  writeBase(value: bigint): boolean {
    if (!mayBecomeBase(this.base, value)) return false
    const page = this.page()
    this.base = (value & ~BASE.BSP) | BASE.BSP
    if ((value & BASE.ENABLE) === 0n) this.resetRegisters()
    if (page !== this.page()) this.onMove?.(this.page())
    this.update()
    return true
  }

  /** x2APIC register MSR 0x800..0x8FF; undefined is #GP. */
  readMsr(msr: number): bigint | undefined {
    const register = (msr - 0x800) << 4
    if (!this.x2apic() || register < 0 || register > 0xff0) return undefined
    if (register === REG.ID) return BigInt(this.id)
    if (register === REG.LDR) return BigInt(x2apicLogicalId(this.id))
    if (register === REG.ICR) return (BigInt(this.icrHigh >>> 0) << 32n) | BigInt(this.icr >>> 0)
    return X2APIC_PLAIN.has(register) ? BigInt(this.read(register)) : undefined
  }

  /** x2APIC register MSR; false is #GP: no such register, read-only, or a reserved bit set. */
  writeMsr(msr: number, value: bigint): boolean {
    const register = (msr - 0x800) << 4
    if (!this.x2apic() || register < 0 || register > 0xff0) return false
    const low = Number(value & 0xffffffffn)
    const high = Number((value >> 32n) & 0xffffffffn)
    if (register === REG.ICR) {
      this.icrHigh = high
    } else if (high !== 0) {
      return false
    } else if (register === REG.SELF_IPI) {
      if (low > 0xff) return false
      this.accept(MODE.FIXED, low, false)
      return true
    } else if ((register === REG.EOI || register === REG.ESR) && low !== 0) {
      return false
    }
    const done = this.write(register, low)
    this.update()
    return done
  }

  /** IA32_TSC_DEADLINE. */
  get tscDeadline(): bigint {
    return this.timer.tscDeadline
  }

  set tscDeadline(value: bigint) {
    this.timer.tscDeadline = value
  }

  /** The relation of TSC and guest time has changed (the guest wrote IA32_TSC or IA32_TSC_ADJUST). */
  tscMoved(): void {
    this.timer.tscMoved()
  }

  // ── Snapshot ──

  save(): SnapshotFields {
    const { base, id, taskPriority, logicalId, destinationFormat, spurious, errors, latchedErrors } = this
    const { icr, icrHigh, lint0 } = this
    const registers = { base, id, taskPriority, logicalId, destinationFormat, spurious, errors, latchedErrors }
    const parts = { lvt: this.lvt.save(), vectors: this.queue.save(), timer: this.timer.save() }
    return { version: SNAPSHOT_VERSION, ...registers, icr, icrHigh, lint0, ...parts }
  }

  restore(fields: SnapshotFields): void {
    const page = this.page()
    this.base = BigInt(fields.base as bigint)
    this.id = Number(fields.id)
    this.taskPriority = Number(fields.taskPriority)
    this.logicalId = Number(fields.logicalId)
    this.destinationFormat = Number(fields.destinationFormat)
    this.spurious = Number(fields.spurious)
    this.errors = Number(fields.errors)
    this.latchedErrors = Number(fields.latchedErrors)
    this.icr = Number(fields.icr)
    this.icrHigh = Number(fields.icrHigh)
    this.lint0 = fields.lint0 === true
    this.queue.restore(fields.vectors as SnapshotFields)
    this.lvt.restore(fields.lvt as SnapshotFields)
    this.timer.restore(fields.timer as SnapshotFields)
    if (page !== this.page()) this.onMove?.(this.page())
    this.update()
  }

  // ── Inside ──

  private resetRegisters(): void {
    this.taskPriority = 0
    this.logicalId = 0
    this.destinationFormat = 0xffffffff
    this.spurious = 0xff
    this.errors = this.latchedErrors = 0
    this.icr = this.icrHigh = 0
    this.queue.reset()
    this.lvt.reset()
    this.timer.reset()
    this.update()
  }

  private globallyEnabled(): boolean {
    return (this.base & BASE.ENABLE) !== 0n
  }

  private x2apic(): boolean {
    return (this.base & BASE.X2APIC) !== 0n
  }

  /** Where the register page is, or undefined. */
  private page(): number | undefined {
    return this.globallyEnabled() && !this.x2apic() ? Number(this.base & 0xff_ffff_f000n) : undefined
  }

  private enabled(): boolean {
    return this.globallyEnabled() && (this.spurious & SVR_ENABLE) !== 0
  }

  /** The 8259A pair reaches the CPU when LINT0 is an open ExtINT, or when there is no local APIC in its way (§11.4.3). */
  private acceptsExternal(): boolean {
    return !this.globallyEnabled() || this.lvt.mode(REG.LVT_LINT0) === MODE.EXTINT
  }

  /** Work out whether the CPU has something to take, and say so. */
  private update(): void {
    const fixed = this.enabled() && this.queue.candidate(this.taskPriority) >= 0
    this.ready = fixed || (this.lint0 && this.acceptsExternal())
    if (this.ready) this.onPending?.()
  }

  private read(register: number): number {
    if (register >= REG.ISR && register < REG.ESR) return this.queue.word((register - REG.ISR) >> 4)
    if (this.lvt.has(register)) return this.lvt.get(register)
    const reader = this.readers[register]
    if (!reader) this.error(ESR.ILLEGAL_REGISTER)
    return reader ? reader() : 0
  }

  /** Registers that both access modes write alike; false when there is none to write. */
  private write(register: number, value: number): boolean {
    if (this.lvt.has(register)) return this.writeLvt(register, value)
    switch (register) {
      case REG.TPR:
        this.taskPriority = value & 0xff
        return true
      case REG.EOI:
        this.endOfInterrupt()
        return true
      case REG.SVR:
        this.writeSpurious(value & 0x1ff)
        return true
      case REG.ESR:
        // A write of any value makes the errors since the last one readable (SDM Vol. 3 §11.5.3).
        this.latchedErrors = this.errors
        this.errors = 0
        return true
      case REG.ICR:
        this.icr = value & 0xccfff
        this.sendIpi()
        return true
      case REG.TIMER_INITIAL:
        this.timer.initial = value
        return true
      case REG.TIMER_DIVIDE:
        this.timer.divide = value & 0xb
        return true
      default:
        return false
    }
  }

  private writeLvt(register: number, value: number): boolean {
    const masked = this.enabled() ? value : value | LVT_MASKED
    // Before the entry changes: an expiry that is already due is delivered by the old one.
    if (register === REG.LVT_TIMER) this.timer.configure(masked)
    this.lvt.set(register, masked)
    return true
  }

  private writeSpurious(value: number): void {
    this.spurious = value
    if (value & SVR_ENABLE) return
    // Software-disabled: every local vector table entry is masked and cannot be unmasked (SDM Vol. 3 §11.4.7.2).
    for (const register of this.lvt.registers()) this.writeLvt(register, this.lvt.get(register))
  }

  private endOfInterrupt(): void {
    const vector = this.queue.end()
    if (vector >= 0) this.onEoi?.(vector)
  }

  private deliverLocal(register: number): void {
    const entry = this.lvt.get(register)
    if (entry & LVT_MASKED) return
    const fixedOnly = register === REG.LVT_TIMER || register === REG.LVT_ERROR
    this.accept(fixedOnly ? MODE.FIXED : (entry >> 8) & 7, entry & 0xff, false)
  }

  private accept(mode: number, vector: number, level: boolean): void {
    if (mode === MODE.NMI) this.onNmi?.()
    else if (mode === MODE.FIXED || mode === MODE.LOWEST) this.acceptFixed(vector, level)
    else this.log.warn('local-apic', `${MODE_NAMES[mode]} interrupt is not delivered on this machine`)
  }

  private acceptFixed(vector: number, level: boolean): void {
    // Vectors 0..15 are illegal (SDM Vol. 3 §11.5.2).
    if (vector < 16) return this.error(ESR.RECEIVED_ILLEGAL_VECTOR)
    if (!this.enabled()) return
    this.queue.request(vector, level)
    this.update()
  }

  private error(bit: number): void {
    const fresh = (this.errors & bit) === 0
    this.errors |= bit
    const vector = this.lvt.get(REG.LVT_ERROR) & 0xff
    if (fresh && vector >= 16) this.deliverLocal(REG.LVT_ERROR)
  }

  private sendIpi(): void {
    const mode = (this.icr >> 8) & 7
    const vector = this.icr & 0xff
    const shorthand = (this.icr >> 18) & 3
    const destination = this.x2apic() ? this.icrHigh >>> 0 : this.icrHigh >>> 24
    const logical = (this.icr & 0x800) !== 0
    const toSelf = shorthand === 0 ? isDestination(this.address(), destination, logical) : shorthand < 3
    if (vector < 16 && (mode === MODE.FIXED || mode === MODE.LOWEST)) return this.error(ESR.SEND_ILLEGAL_VECTOR)
    // There is no second CPU: a message to others ends here, as on a bus where nobody answers.
    if (toSelf) this.accept(mode, vector, false)
  }

  private address(): ApicAddress {
    return {
      id: this.id,
      x2apic: this.x2apic(),
      logicalId: this.logicalId >>> 24,
      flat: this.destinationFormat >>> 28 === 0xf,
    }
  }
}
