/** What a vCPU does all its life: slices of guest code, and between them timers, interrupts, exceptions and sleep. */
import { deliverException, deliverInterrupt, deliverNmi, type DeliverResult } from '../cpu/interrupts/deliver.ts'
import { debugAfter, debugBefore, debugging } from '../cpu/interrupts/debug.ts'
import { WATCH_VECTOR } from '../cpu/breakpoints.ts'
import { EXIT } from '../cpu/interpreter/loop.ts'
import { IF } from '../cpu/semantics/flags.ts'
import { AT } from '../cpu/state/layout.ts'
import { LoopDebugger, type LoopStop } from './loop-debugger.ts'
import type { Machine } from './machine.ts'
import type { MachineClock } from './machine-clock.ts'

/** Instructions in a slice: about 200 µs of the interpreter, the longest that an interrupt waits while the guest is busy. */
const SLICE = 20_000

export interface RunLoopHost {
  /** Anything that others want of the vCPU; called between slices. Returns false when the machine is to stop running (paused or ended). */
  attend(): boolean
  /** Sleeps until an event or `timeout` ms (undefined: for ever). */
  sleep(timeout: number | undefined): void
  tripleFault(): void
  /** A breakpoint struck or the steps are done: attend() has to say stop from now on. */
  stopped(reason: LoopStop): void
}

export class RunLoop {
  private readonly machine: Machine
  private readonly clock: MachineClock
  private readonly host: RunLoopHost
  private halted = false
  private nmi = false
  private readonly debugger: LoopDebugger

  constructor(machine: Machine, clock: MachineClock, host: RunLoopHost) {
    this.machine = machine
    this.clock = clock
    this.host = host
    this.debugger = new LoopDebugger(machine.cpu)
    machine.apic.onNmi = () => {
      this.nmi = true
    }
  }

  /** After a machine reset. */
  restart(): void {
    this.halted = false
    this.nmi = false
    this.debugger.restart()
  }

  /** A debugger wants `count` instructions and then a stop. */
  stepNext(count: number): void {
    this.debugger.steps = count
  }
  /** The debugger has other plans. */
  cancelSteps(): void {
    this.debugger.steps = 0
  }

  /** Runs until attend() says stop. */
  run(): void {
    const { machine, clock, host } = this
    for (;;) {
      clock.runDue()
      machine.serial.flush()
      if (!host.attend()) return
      // a debugger's step goes on in the code it looks at; only a halted vCPU needs its interrupt
      const alone = this.debugger.single && !this.halted
      const slice = alone ? 1 : this.takeInterrupt() ? SLICE : 1
      if (this.halted) {
        clock.catchUp()
        host.sleep(clock.untilNext())
        continue
      }
      if (this.debugger.single) this.stop(this.debugger.step(() => this.execute(1)))
      else this.execute(slice)
    }
  }
  private stop(reason: LoopStop | undefined): void {
    if (reason) this.host.stopped(reason)
  }

  private execute(slice: number): void {
    const { cpu } = this.machine
    const before = cpu.u32(AT.retired)
    if (debugging(cpu)) this.step()
    else this.finish(cpu.run(slice))
    this.clock.endSlice((cpu.u32(AT.retired) - before) >>> 0)
  }

  /** Delivers what is pending when it may be. False when one instruction has to run first (shadow of STI or MOV SS). */
  private takeInterrupt(): boolean {
    const { cpu, apic } = this.machine
    const waiting = apic.hasInterrupt()
    if (!waiting && !this.nmi) {
      cpu.setU32(AT.attention, 0)
      return true
    }
    const shadow = cpu.u64(AT.shadowRip) === cpu.u64(AT.rip) ? cpu.u32(AT.shadow) : 0
    if (!this.halted && shadow !== 0) {
      cpu.setU32(AT.shadow, 0)
      return false
    }
    if (this.nmi && !cpu.u32(AT.nmiBlocked)) {
      this.nmi = false
      this.halted = false
      this.deliver(() => deliverNmi(cpu))
    } else if ((cpu.u32(AT.eflags) & IF) !== 0) {
      this.halted = false
      this.deliver(() => deliverInterrupt(cpu, apic.acknowledge()))
    }
    cpu.setU32(AT.attention, apic.hasInterrupt() ? 1 : 0)
    return true
  }

  private step(): void {
    const { cpu } = this.machine
    if (debugBefore(cpu)) return this.deliver(() => deliverException(cpu))
    const exit = cpu.run(1)
    this.finish(exit)
    if (exit !== EXIT.exception && exit !== EXIT.breakpoint && debugAfter(cpu))
      this.deliver(() => deliverException(cpu))
  }

  private finish(exit: number): void {
    const { cpu } = this.machine
    if (exit === EXIT.breakpoint) this.stop(this.debugger.struck(() => this.execute(1)))
    else if (exit === EXIT.exception && cpu.u32(AT.excVector) === WATCH_VECTOR)
      this.stop(this.debugger.step(() => this.execute(1)))
    else if (exit === EXIT.exception) this.deliver(() => deliverException(cpu))
    else if (exit === EXIT.halt) this.halted = true
  }

  private deliver(event: () => DeliverResult): void {
    if (this.machine.cpu.breakpoints.unarmed(event) === 'triple-fault') this.host.tripleFault()
  }
}
