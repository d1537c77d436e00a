/**
 * The vCPU worker of `-accel both`: two machines in step (machine/lockstep.ts), one translated and one interpreted, with one world between them
 * (machine/paired-io.ts). It ends at the first difference with a report. A debugger finds nothing here.
 */
import { fillRandom } from '../random.ts'
import { parentPort, receiveMessageOnPort } from 'node:worker_threads'
import { ControlBlock, Event, VcpuState } from '../../base/control-block.ts'
import { exitCode, type ExitReason, type FromVcpu, type ToVcpu } from '../../contract/vcpu.ts'
import type { BlockBackend, ConsoleBackend, NineBackend, PowerControl } from '../../devices/backends.ts'
import { buildMachine, generateProcessor } from '../../machine/build.ts'
import type { MachineConfig } from '../../machine/config.ts'
import { InstructionTime, Lockstep, type Stepped } from '../../machine/lockstep.ts'
import type { MachineBackends } from '../../machine/machine.ts'
import { PairedWorld } from '../../machine/paired-io.ts'
import { monitorReply } from '../monitor/monitor.ts'
import {
  allocate,
  bootFiles,
  HostError,
  noteLog,
  openIo,
  RingConsole,
  serveOwner,
  startSeconds,
  type VcpuStart,
} from '../vcpu-host.ts'
import { reportOf } from './report.ts'

/** Jumps before a place is translated: few, because here it matters that much is, not that it is fast. */
const HOT = 300
/** Instructions of a slice: a difference is known to lie within so many. */
const SLICE = 2000
/** Instructions between two comparisons of all RAM. */
const MEMORY_EVERY = 2_000_000_000n

const port = parentPort
if (port === null) throw new Error('the lockstep worker is a worker')
const post = (message: FromVcpu): void => port.postMessage(message)

/** What a guest asked of its machine in a slice. */
interface Wish {
  kind: 'reset' | 'power-off' | 'debug-exit'
  code: number
}

class LockstepWorker {
  private readonly given: VcpuStart
  private readonly config: MachineConfig
  private readonly control: ControlBlock
  private readonly consoles: readonly RingConsole[]
  private readonly times = [new InstructionTime(), new InstructionTime()] as const
  private readonly wishes: [Wish | undefined, Wish | undefined] = [undefined, undefined]
  private readonly differences: string[] = []
  private lockstep: Lockstep | undefined
  private paused: boolean
  private quit = false
  private restarting = false
  private comparedAt = 0n

  constructor(given: VcpuStart) {
    const { config, buffers } = given
    this.given = given
    this.config = config
    this.paused = config.startPaused
    this.control = new ControlBlock(buffers.control)
    this.consoles = buffers.consoles.map((console) => new RingConsole(console))
  }

  async start(): Promise<void> {
    const { config, control } = this
    control.publish(VcpuState.starting)
    const memories = [allocate(config), allocate(config)] as const
    const io = await openIo(this.given, memories[0], (gpa, length) =>
      this.lockstep?.machines.translated.ram.written(gpa, length),
    )
    const world = new PairedWorld(
      (what) => this.differences.push(what),
      () => {
        if (!io.client.drain()) throw new HostError('the disks and folders do not answer')
      },
    )
    const disks = io.disks.map((disk, n) => world.disk(`disk ${n}`, disk))
    const shares = io.shares.map((share, n) => world.share(`share ${n}`, share))
    const consoles = this.consoles.map((console, n) => world.console(`console ${n}`, console))
    const random = world.random({ fill: fillRandom })
    const files = { ...bootFiles(config), startSeconds: startSeconds(config.rtc) }
    const processor = generateProcessor(config, memories[0].map)
    const side = (n: 0 | 1): Stepped => {
      const machineConsoles = consoles.map((sides): ConsoleBackend => sides[n])
      const backends: MachineBackends = {
        ...files,
        serial: machineConsoles[0]!,
        consoles: machineConsoles.slice(1),
        disks: disks.map((sides): BlockBackend => sides[n]),
        shares: shares.map((sides): NineBackend => sides[n]),
        random: random[n],
        power: this.power(n),
        log: n === 0 ? noteLog(post) : { warn: () => undefined, info: () => undefined },
      }
      const built = buildMachine(config, memories[n], this.times[n].clock, backends, processor)
      return { built, time: this.times[n] }
    }
    const [translated, interpreted] = [side(0), side(1)]
    world.leader = translated.built.machine.ram
    world.follower = interpreted.built.machine.ram
    translated.built.machine.cpu.translateHot(HOT)
    this.lockstep = new Lockstep(translated, interpreted)
    this.lockstep.slice = SLICE
    this.lockstep.sleep = (timeout) => this.sleep(timeout)
    this.boot()
    post({ type: 'started', accelerator: 'both' })
    if (this.paused) post({ type: 'paused' })
    const end = this.live(world)
    await io.close()
    control.publish(VcpuState.ended)
    post(end)
  }

  private power(n: 0 | 1): PowerControl {
    const wish = (kind: Wish['kind'], code = 0): void => {
      this.wishes[n] ??= { kind, code }
    }
    return {
      reset: () => wish('reset'),
      powerOff: () => wish(this.restarting ? 'reset' : 'power-off'),
      debugExit: (code) => wish('debug-exit', code),
    }
  }

  private boot(): void {
    const result = this.lockstep!.boot()
    if (!result.ok) throw new HostError(`${this.config.kernel ?? 'the kernel'}: ${result.error.message}`)
  }

  /** Until the machines end, or differ. */
  private live(world: PairedWorld): FromVcpu {
    const lockstep = this.lockstep!
    const exited = (reason: ExitReason, code: number): FromVcpu => ({ type: 'exited', reason, code })
    for (;;) {
      if (this.control.pending()) this.takeEvents()
      if (this.quit) return exited('quit', 0)
      if (this.paused) {
        this.control.publish(VcpuState.paused)
        this.control.sleep()
        continue
      }
      this.control.publish(VcpuState.running)
      world.settle()
      const difference = lockstep.step(this.differences) ?? this.compareMemory()
      if (difference)
        return {
          type: 'error',
          cause: 'host',
          sentence: 'the translator and the interpreter differ',
          details: reportOf(lockstep, difference),
        }
      const wish = this.takeWish()
      if (wish?.kind === 'power-off') return exited('power-off', 0)
      if (wish?.kind === 'debug-exit') return exited('debug-exit', exitCode('debug-exit', wish.code))
      if (wish === undefined && !lockstep.ended) continue
      if (this.config.noReboot) return exited('guest-reset', 0)
      this.restarting = false
      this.boot()
      post({ type: 'reset' })
    }
  }
  private takeWish(): Wish | undefined {
    const [a, b] = this.wishes.splice(0, 2, undefined, undefined)
    if (a?.kind !== b?.kind || a?.code !== b?.code)
      this.differences.push(`the guest wants: ${a?.kind ?? 'nothing'} translated, ${b?.kind ?? 'nothing'} interpreted`)
    return a ?? b
  }
  private compareMemory() {
    const lockstep = this.lockstep!
    const { retired } = lockstep
    if (retired - this.comparedAt < MEMORY_EVERY) return undefined
    this.comparedAt = retired
    return lockstep.memoryDifference()
  }

  /** How long both sleep, ms: as long as it really was. */
  private sleep(timeout: number | undefined): number {
    const begun = performance.now()
    this.control.publish(VcpuState.halted)
    this.control.sleep(timeout)
    const slept = performance.now() - begun
    return timeout === undefined ? slept : Math.min(timeout, slept)
  }

  private takeEvents(): void {
    const events = this.control.take()
    if (events & Event.message) this.takeMessages()
  }
  private takeMessages(): void {
    for (let got = receiveMessageOnPort(port!); got !== undefined; got = receiveMessageOnPort(port!)) {
      const message = got.message as ToVcpu
      const { translated, interpreted } = this.lockstep!.machines
      switch (message.type) {
        case 'pause':
        case 'resume':
          this.paused = message.type === 'pause'
          post({ type: this.paused ? 'paused' : 'resumed' })
          break
        case 'reset':
          this.wishes.fill({ kind: 'reset', code: 0 })
          break
        case 'powerButton':
        case 'restart':
          this.restarting = message.type === 'restart'
          for (const machine of [translated, interpreted]) machine.powerButton()
          break
        case 'resize':
          this.consoles[message.console]?.onResize?.(message)
          break
        case 'quit':
          this.quit = true
          break
        case 'monitor':
          post({ type: 'reply', id: message.id, text: this.monitor(message.line) })
          break
        case 'debug':
          post({
            type: 'debugged',
            id: message.id,
            result: { ok: false, sentence: 'a machine with -accel both cannot be looked into' },
          })
          break
        case 'translatorEnded':
        case 'start':
          throw new Error(`"${message.type}" is no message for a machine with -accel both`)
      }
    }
  }
  private monitor(line: string): string {
    const { config, paused } = this
    return monitorReply({ machine: this.lockstep!.machines.translated, config, paused }, line)
  }
  crashDetails(): string {
    return this.lockstep ? this.monitor('info registers') : ''
  }
}

serveOwner(port, (given) => new LockstepWorker(given))
