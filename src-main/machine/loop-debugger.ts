/** The debugger's part of the run loop: what to do where a breakpoint strikes, and steps. */
import type { WatchHit } from '../cpu/breakpoints.ts'
import type { Cpu } from '../cpu/cpu.ts'
import { wrap } from '../cpu/helpers/segments.ts'
import { AT, CS, segAt } from '../cpu/state/layout.ts'

export type LoopStop =
  | { readonly kind: 'breakpoint'; readonly address: bigint }
  | { readonly kind: 'watchpoint'; readonly hit: WatchHit }
  | { readonly kind: 'step' }

export class LoopDebugger {
  /** Instructions to go before a stop; 0: none is wanted. */
  steps = 0
  private readonly cpu: Cpu
  /** Where the vCPU stopped last and its user has seen it: a breakpoint there does not strike again at once. */
  private seen: bigint | undefined

  constructor(cpu: Cpu) {
    this.cpu = cpu
  }

  restart(): void {
    this.steps = 0
    this.seen = undefined
  }

  /** Has the next instruction to be run by step()? */
  get single(): boolean {
    return this.steps > 0 || this.seen !== undefined
  }

  private here(): bigint {
    const { cpu } = this
    return wrap(cpu, cpu.u64(segAt(CS, 'base')) + cpu.u64(AT.rip))
  }

  /** Runs one instruction, breakpoint or not. A reason to stop is what it did to watched data, or the end of the steps. */
  step(one: () => void): LoopStop | undefined {
    const { breakpoints } = this.cpu
    const here = this.here()
    const seen = this.seen === here
    this.seen = undefined
    if (!seen && breakpoints.strikes(here)) return this.breakpoint(here)
    breakpoints.without(Number(here & 0xfffn), one)
    const hit = breakpoints.takeHit()
    if (this.steps > 0) this.steps--
    else if (!hit) return undefined
    if (hit) this.steps = 0
    else if (this.steps > 0) return undefined
    this.seen = this.here()
    return hit ? { kind: 'watchpoint', hit } : { kind: 'step' }
  }

  /** EXIT.breakpoint: stop, or step over it when it is another address with the same page offset. */
  struck(one: () => void): LoopStop | undefined {
    const here = this.here()
    return this.cpu.breakpoints.strikes(here) ? this.breakpoint(here) : this.step(one)
  }
  private breakpoint(address: bigint): LoopStop {
    this.steps = 0
    this.seen = address
    return { kind: 'breakpoint', address }
  }
}
