/**
 * Two machines in step: one translates, one only interprets. Each makes a slice of the same number of instructions, then their processors are
 * compared. Time is counted in instructions, so both see the same clocks and the same interrupts; nothing outside may differ between them.
 */
import type { Cpu } from '../cpu/cpu.ts'
import { EXIT } from '../cpu/interpreter/loop.ts'
import { AT, STATE_FIELDS, type Field } from '../cpu/state/layout.ts'
import type { BuiltMachine } from './build.ts'
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
    'regionDropped',
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
  /** ms; sleeping for ever is an error of the guest's that the caller has to notice. */
  sleep(timeout: number | undefined): void {
    this.slept += Math.ceil((timeout ?? 1000) * 1e6)
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

  constructor({ built, time }: Stepped) {
    this.cpu = built.machine.cpu
    this.clock = time.clock
    time.cpu = this.cpu
    const host: RunLoopHost = {
      attend: () => {
        this.turn = !this.turn
        return this.turn
      },
      sleep: (timeout) => time.sleep(timeout),
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

  constructor(translated: Stepped, interpreted: Stepped) {
    this.translated = new Side(translated)
    this.interpreted = new Side(interpreted)
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

  /** One slice of both, or a sleep. */
  step(): Difference | undefined {
    const after = this.retired
    const rip = this.translated.cpu.u64(AT.rip)
    // this clock does not run on while nobody looks
    for (const side of [this.translated, this.interpreted]) side.clock.catchUp()
    this.translated.loop.run()
    this.interpreted.loop.run()
    const fields = this.compare()
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
  /** Offset in RAM of the first byte that differs, or -1. */
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
