/**
 * Two machines in step: one translates, one only interprets. Each makes a slice of the same number of instructions, then their processors are
 * compared. Time is counted in instructions, so both see the same clocks and the same interrupts; nothing outside may differ between them.
 */
import type { Cpu } from '../cpu/cpu.ts'
import { EXIT } from '../cpu/interpreter/loop.ts'
import { AT, STATE_FIELDS, type Field } from '../cpu/state/layout.ts'
import type { BootResult } from '../boot/types.ts'
import type { BuiltMachine } from './build.ts'
import type { Machine } from './machine.ts'
import { MachineClock } from './machine-clock.ts'
import { RunLoop, type RunLoopHost } from './run-loop.ts'

/** Guest time that an instruction takes, ns. */
const INSTRUCTION_TIME = 10

/** State that is no part of the processor, or whose form is free: lazy flags are compared as RFLAGS. */
const FREE = new Set([
  ...[
    'ccOp',
    'ccRes',
    'ccB',
    'ea',
    'nextRip',
    'budget',
    'commitKind',
    'commitSize',
    'commitA',
    'commitB',
    'pageRights',
  ],
  ...[
    'excVector',
    'excError',
    'excHasError',
    'excSoft',
    'hotAt',
    'hotEvery',
    'hotKernel',
    'regionDropped',
    'dataPage',
    'regionWhere',
    'tlbMisses',
    'pageWalks',
    'tlbFlushes',
    'watchHit',
  ],
  ...['codeMisses', 'decoded', 'codeDrops', 'regionEntries', 'regionRestarts', 'regionInstructions', 'warmTlb'],
])
const COMPARED: readonly Field[] = STATE_FIELDS.filter((field) => !FREE.has(field.name))

/** A clock that goes on with the instructions of `cpu`, and jumps over sleep. */
export class InstructionTime {
  readonly clock: MachineClock
  cpu: Cpu | undefined
  /** ns */
  private slept = 0

  constructor() {
    this.clock = new MachineClock(() => this.milliseconds())
  }
  private milliseconds(): number {
    return ((this.cpu ? Number(this.cpu.u64(AT.retired)) * INSTRUCTION_TIME : 0) + this.slept) / 1e6
  }
  /** ms */
  sleep(time: number): void {
    this.slept += Math.ceil(time * 1e6)
  }
}

/** One of the two. */
export interface Stepped {
  readonly built: BuiltMachine
  readonly time: InstructionTime
}

class Side {
  readonly cpu: Cpu
  readonly loop: RunLoop
  readonly clock: MachineClock
  /** run() of the processor, before it was replaced. */
  readonly runCpu: (slice: number) => number
  ended = false
  private turn = false
  readonly built: BuiltMachine

  constructor({ built, time }: Stepped, sleep: (timeout: number | undefined) => number) {
    this.built = built
    this.cpu = built.machine.cpu
    this.clock = time.clock
    time.cpu = this.cpu
    const host: RunLoopHost = {
      attend: () => {
        this.turn = !this.turn
        return this.turn
      },
      sleep: (timeout) => time.sleep(sleep(timeout)),
      tripleFault: () => {
        this.ended = true
      },
      stopped: () => {
        throw new Error('no debugger in lockstep')
      },
    }
    this.loop = new RunLoop(built.machine, time.clock, host)
    this.runCpu = this.cpu.run.bind(this.cpu)
  }
  get retired(): bigint {
    return this.cpu.u64(AT.retired)
  }
  boot(): BootResult {
    this.ended = false
    const result = this.built.boot()
    this.loop.restart()
    return result
  }
}

export interface Difference {
  /** Instructions before the slice in which it came up, and in that slice. */
  readonly after: bigint
  readonly instructions: number
  /** Where the slice began. */
  readonly rip: bigint
  readonly fields: readonly string[]
}

export class Lockstep {
  private readonly translated: Side
  private readonly interpreted: Side
  /** Instructions of a slice. */
  slice = 20_000
  private lastExit: number = EXIT.budget
  private lastCount = 0

  /**
   * How long both sleep when the guest has nothing to do until `timeout` (ms) has gone by, or for ever: no time at all goes by for who looks on, but the
   * whole of it for the machines. For ever is an error of the guest's that the caller has to notice.
   */
  sleep: (timeout: number | undefined) => number = (timeout) => timeout ?? 1000
  private slept = 0

  constructor(translated: Stepped, interpreted: Stepped) {
    this.translated = new Side(translated, (timeout) => (this.slept = this.sleep(timeout)))
    this.interpreted = new Side(interpreted, () => this.slept)
    this.translated.cpu.run = (slice) => {
      const before = this.translated.retired
      this.lastExit = this.translated.runCpu(Math.min(slice, this.slice))
      this.lastCount = Number(this.translated.retired - before)
      return this.lastExit
    }
    // a fault comes with the instruction after those that were done
    this.interpreted.cpu.run = () =>
      this.interpreted.runCpu(this.lastCount + (this.lastExit === EXIT.exception ? 1 : 0))
  }

  get retired(): bigint {
    return this.translated.retired
  }
  get ended(): boolean {
    return this.translated.ended || this.interpreted.ended
  }

  get machines(): { readonly translated: Machine; readonly interpreted: Machine } {
    return { translated: this.translated.built.machine, interpreted: this.interpreted.built.machine }
  }

  /** Both begin again. */
  boot(): BootResult {
    const results = [this.translated, this.interpreted].map((side) => side.boot())
    return results.find((result) => !result.ok) ?? results[0]!
  }

  /** One slice of both, or a sleep. `others`: differences that were found elsewhere, before it or by its devices. */
  step(others: readonly string[] = []): Difference | undefined {
    const after = this.retired
    const rip = this.translated.cpu.u64(AT.rip)
    // this clock does not run on while nobody looks
    for (const side of [this.translated, this.interpreted]) side.clock.catchUp()
    this.translated.loop.run()
    this.interpreted.loop.run()
    const fields = [...this.compare(), ...others]
    return fields.length > 0 ? { after, instructions: Number(this.retired - after), rip, fields } : undefined
  }

  private compare(): string[] {
    const a = this.translated.cpu
    const b = this.interpreted.cpu
    const fields: string[] = []
    for (const { name, at, bytes } of COMPARED)
      for (let i = 0; i < bytes; i++)
        if (a.bytes[at + i] !== b.bytes[at + i]) {
          fields.push(`${name}: ${shown(a, at, bytes)} translated, ${shown(b, at, bytes)} interpreted`)
          break
        }
    if (a.rflags !== b.rflags)
      fields.push(`rflags: ${a.rflags.toString(16)} translated, ${b.rflags.toString(16)} interpreted`)
    return fields
  }
  /** As of step(), but of RAM. */
  memoryDifference(): Difference | undefined {
    const at = this.compareMemory()
    if (at < 0) return undefined
    const rip = this.translated.cpu.u64(AT.rip)
    const shownAt = (side: Side): string => shown(side.cpu, side.cpu.map.ramBase + at, 8)
    const field = `RAM at ${at.toString(16)}: ${shownAt(this.translated)} translated, ${shownAt(this.interpreted)} interpreted`
    return { after: this.retired, instructions: 0, rip, fields: [field] }
  }
  /** Offset in RAM of the first eight bytes that differ, or -1. */
  compareMemory(): number {
    const a = this.translated.cpu
    const b = this.interpreted.cpu
    const size = a.map.lowSize + a.map.highSize
    const x = new BigUint64Array(a.bytes.buffer, a.map.ramBase, size / 8)
    const y = new BigUint64Array(b.bytes.buffer, b.map.ramBase, size / 8)
    for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return i * 8
    return -1
  }
}

function shown(cpu: Cpu, at: number, bytes: number): string {
  return Array.from(cpu.bytes.subarray(at, at + bytes), (b) => b.toString(16).padStart(2, '0'))
    .reverse()
    .join('')
}
