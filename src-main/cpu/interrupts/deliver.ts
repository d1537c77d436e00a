/**
 * Delivery of exceptions and interrupts (SDM vol. 3, chapter 6). A fault on the way leaves all registers as they were and becomes a
 * double fault where table 6-5 says so; a fault while a double fault is delivered shuts the processor down.
 */
import type { Cpu } from '../cpu.ts'
import { GuestFault, PendingFault } from '../helpers/helper.ts'
import { longMode, protectedMode } from '../helpers/modes.ts'
import { VECTOR } from '../mmu/access.ts'
import { RF } from '../semantics/flags.ts'
import { AT, SOFTWARE } from '../state/layout.ts'
import { deliverLong } from './deliver-long.ts'
import { deliverProtected } from './deliver-protected.ts'
import { deliverReal } from './deliver-real.ts'

export type DeliverResult = 'ok' | 'triple-fault'

/** One exception or interrupt on its way into the guest. */
export interface Event {
  readonly vector: number
  readonly error: number | undefined
  /** INT n, INT3, INTO: the gate's DPL is checked; error codes do not have EXT set. `n` is INT n, which IOPL may refuse in virtual-8086 mode. */
  readonly software: 'no' | 'yes' | 'n'
  /** EXT of error codes that the delivery itself raises (6.13): 0 for software interrupts. */
  readonly ext: 0 | 1
  /** Where the guest goes on afterwards, relative to CS. */
  readonly rip: bigint
  /** EFLAGS image to be saved. */
  readonly flags: number
}

/** Delivers an event in the mode that the processor is in; throws GuestFault or PendingFault with the registers unchanged. */
export function deliver(cpu: Cpu, event: Event): void {
  if (!protectedMode(cpu)) deliverReal(cpu, event)
  else if (longMode(cpu)) deliverLong(cpu, event)
  else deliverProtected(cpu, event)
}

const CONTRIBUTORY: ReadonlySet<number> = new Set([VECTOR.DE, VECTOR.TS, VECTOR.NP, VECTOR.SS, VECTOR.GP])

/** Table 6-5: does `second`, met while `first` was delivered, make a double fault? */
const doubles = (first: number, second: number): boolean =>
  (CONTRIBUTORY.has(first) && CONTRIBUTORY.has(second)) ||
  (first === VECTOR.PF && (second === VECTOR.PF || CONTRIBUTORY.has(second)))

/** Faults but #DB and #DF save RF as 1, so that an instruction breakpoint does not strike again (17.3.1.1). */
const isFault = (vector: number): boolean =>
  vector !== VECTOR.DB && vector !== VECTOR.NMI && vector !== VECTOR.BP && vector !== VECTOR.OF && vector !== VECTOR.DF

function exceptionEvent(cpu: Cpu, vector: number, error: number | undefined): Event {
  const flags = cpu.rflags | (isFault(vector) ? RF : 0)
  return { vector, error, software: 'no', ext: 1, rip: cpu.u64(AT.rip), flags }
}

/** Interrupts, by hardware or software, are benign as first events (table 6-5): this stands for their vector. */
const NO_VECTOR = 256

function run(cpu: Cpu, start: Event, isBenign: boolean): DeliverResult {
  let event = start
  let first = isBenign ? NO_VECTOR : start.vector
  for (;;) {
    try {
      deliver(cpu, event)
      cpu.setU32(AT.shadow, 0)
      return 'ok'
    } catch (fault) {
      let vector: number
      let error: number | undefined
      if (fault instanceof GuestFault) {
        vector = fault.vector
        error = fault.code
      } else if (fault instanceof PendingFault) {
        vector = cpu.u32(AT.excVector)
        error = cpu.u32(AT.excHasError) ? cpu.u32(AT.excError) : undefined
      } else throw fault
      if (first === VECTOR.DF) return 'triple-fault'
      if (doubles(first, vector)) {
        vector = VECTOR.DF
        error = 0
      }
      first = vector
      event = exceptionEvent(cpu, vector, error)
    }
  }
}

/** INT1 counts as a hardware exception: no check of the gate's DPL, EXT set (6.12.1.2). */
function softwareEvent(cpu: Cpu, which: number): Event {
  const hardware = which === SOFTWARE.int1
  return {
    vector: cpu.u32(AT.excVector),
    error: undefined,
    software: hardware ? 'no' : which === SOFTWARE.int ? 'n' : 'yes',
    ext: hardware ? 1 : 0,
    rip: cpu.u64(AT.nextRip),
    flags: cpu.rflags,
  }
}

/** The exception that is pending in the state: after run() said EXIT.exception, or a #DB from debug.ts. */
export function deliverException(cpu: Cpu): DeliverResult {
  const which = cpu.u32(AT.excSoft)
  if (which !== 0) return run(cpu, softwareEvent(cpu, which), true)
  const error = cpu.u32(AT.excHasError) ? cpu.u32(AT.excError) : undefined
  return run(cpu, exceptionEvent(cpu, cpu.u32(AT.excVector), error), false)
}

/** An external interrupt; the caller has looked at IF and the interrupt shadow. */
export function deliverInterrupt(cpu: Cpu, vector: number): DeliverResult {
  if (cpu.quickInterrupt(vector)) return 'ok'
  const event: Event = {
    vector,
    error: undefined,
    software: 'no',
    ext: 1,
    rip: cpu.u64(AT.rip),
    flags: cpu.rflags,
  }
  return run(cpu, event, true)
}

/** A non-maskable interrupt: further ones wait until the next IRET (6.7.1). The caller has looked at state.nmiBlocked. */
export function deliverNmi(cpu: Cpu): DeliverResult {
  cpu.setU32(AT.nmiBlocked, 1)
  return deliverInterrupt(cpu, VECTOR.NMI)
}
