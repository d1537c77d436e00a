/** The vCPU's end of contract/debug.ts: answers requests between slices of guest code, and tells why the vCPU stands. */
import {
  DebugRefused,
  type Breakpoint,
  type DebugRequest,
  type DebugTable,
  type Stop,
  type StopReason,
} from '../contract/debug.ts'
import type { FromVcpu } from '../contract/vcpu.ts'
import { mapPiece } from '../debug/address-map.ts'
import { readMemory, searchMemory, writeMemory } from '../debug/memory.ts'
import { walkPages } from '../debug/page-walk.ts'
import { instructionAddress, readRegisters, writeRegister } from '../debug/registers.ts'
import { engineCounters } from '../machine/monitor.ts'
import type { Machine } from '../machine/machine.ts'
import type { LoopStop } from '../machine/loop-debugger.ts'
import type { RunLoop } from '../machine/run-loop.ts'

/** What it asks of the worker. */
export interface DebuggerHost {
  readonly machine: Machine
  readonly loop: RunLoop
  post(message: FromVcpu): void
  /** Whether the vCPU stands until somebody resumes it. */
  readonly paused: boolean
  setPaused(paused: boolean): void
}

const MOST_BREAKPOINTS = 1000
const MOST_WATCHED_BYTES = 4096
const MOST_STEPS = 1_000_000

type Answers = { [K in keyof DebugTable]: (ask: DebugTable[K]['ask']) => DebugTable[K]['answer'] | typeof LATER }
/** The answer follows when the vCPU stands. */
const LATER = Symbol('later')

const same = (a: Breakpoint, b: Breakpoint): boolean =>
  a.kind === b.kind && a.address === b.address && a.length === b.length

export class VcpuDebugger {
  private readonly host: DebuggerHost
  private readonly points: Breakpoint[] = []
  /** Requests to answer at the next stop. */
  private waiting: number[] = []
  private reason: StopReason = { kind: 'start' }

  constructor(host: DebuggerHost) {
    this.host = host
  }

  request(id: number, request: DebugRequest): void {
    try {
      const answer = (this.answers[request.kind] as (ask: DebugRequest['ask']) => unknown)(request.ask)
      if (answer === LATER) this.waiting.push(id)
      else this.host.post({ type: 'debugged', id, result: { ok: true, answer } })
    } catch (error) {
      if (!(error instanceof DebugRefused)) throw error
      this.host.post({ type: 'debugged', id, result: { ok: false, sentence: error.message } })
    }
  }

  /** The vCPU stands from now on, for this reason. */
  stop(reason: StopReason): void {
    const { host } = this
    host.loop.cancelSteps()
    host.setPaused(true)
    this.reason = reason
    const stop = this.current()
    host.post({ type: 'stopped', stop })
    const { waiting } = this
    this.waiting = []
    for (const id of waiting) host.post({ type: 'debugged', id, result: { ok: true, answer: stop } })
  }

  /** The run loop stopped by itself. */
  loopStopped(stop: LoopStop): void {
    if (stop.kind !== 'watchpoint') return this.stop(stop)
    const { watch, access } = stop.hit
    this.stop({ kind: 'watchpoint', address: watch.address, watch: watch.kind, access })
  }

  /** The machine was reset: who waits for the end of a step sees the kernel's first instruction. */
  restarted(): void {
    if (this.waiting.length > 0) this.stop({ kind: 'start' })
  }

  resume(): void {
    if (!this.host.paused) return
    this.host.setPaused(false)
    this.host.post({ type: 'resumed' })
  }

  private current(): Stop {
    const { cpu } = this.host.machine
    const rip = readRegisters(cpu).registers.find(({ name }) => name === 'rip')!.value
    return { reason: this.reason, rip, at: instructionAddress(cpu) }
  }

  private requirePaused(what: string): void {
    if (!this.host.paused) throw new DebugRefused(`${what} while the machine runs is not possible; pause it first`)
  }

  private readonly answers: Answers = {
    registers: () => readRegisters(this.host.machine.cpu),
    setRegister: ({ name, value }) => {
      this.requirePaused('changing a register')
      writeRegister(this.host.machine.cpu, name, value)
      return undefined
    },
    readMemory: ({ space, address, length }) => readMemory(this.host.machine.cpu, space, address, length),
    writeMemory: ({ space, address, bytes }) => {
      writeMemory(this.host.machine.cpu, space, address, bytes)
      return undefined
    },
    walk: ({ address }) => walkPages(this.host.machine.cpu, address),
    map: ({ from }) => mapPiece(this.host.machine.cpu, from),
    search: ({ space, from, to, pattern }) => searchMemory(this.host.machine.cpu, space, from, to, pattern),
    stop: () => {
      if (!this.host.paused) this.stop({ kind: 'pause' })
      return this.current()
    },
    resume: () => {
      this.resume()
      return undefined
    },
    step: ({ count }) => {
      this.requirePaused('a step')
      if (!(Number.isInteger(count) && count >= 1 && count <= MOST_STEPS))
        throw new DebugRefused(`a step is 1 to ${MOST_STEPS} instructions`)
      this.host.loop.stepNext(count)
      this.resume()
      return LATER
    },
    addBreakpoint: (point) => {
      const most = point.kind === 'execute' ? 1 : MOST_WATCHED_BYTES
      if (!(point.length >= 1 && point.length <= most))
        throw new DebugRefused(`a breakpoint of this kind covers 1 to ${most} bytes`)
      if (this.points.length >= MOST_BREAKPOINTS)
        throw new DebugRefused(`there are ${MOST_BREAKPOINTS} breakpoints already`)
      if (!this.points.some((other) => same(other, point))) this.points.push(point)
      this.applyBreakpoints()
      return undefined
    },
    removeBreakpoint: (point) => {
      const at = this.points.findIndex((other) => same(other, point))
      if (at >= 0) this.points.splice(at, 1)
      this.applyBreakpoints()
      return undefined
    },
    breakpoints: () => [...this.points],
    counters: () => engineCounters(this.host.machine),
  }

  private applyBreakpoints(): void {
    const { breakpoints } = this.host.machine.cpu
    breakpoints.setPlaces(this.points.filter(({ kind }) => kind === 'execute').map(({ address }) => address))
    breakpoints.setWatches(
      this.points.flatMap(({ kind, address, length }) => (kind === 'execute' ? [] : [{ kind, address, length }])),
    )
  }
}
