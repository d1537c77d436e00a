/** The vCPU worker: builds a machine, runs it, and answers its owner (contract/vcpu.ts). */
import { parentPort, receiveMessageOnPort, type Transferable } from 'node:worker_threads'
import { ControlBlock, Event, VcpuState } from '../base/control-block.ts'
import { exitCode, type ExitReason, type FromVcpu, type ToVcpu } from '../contract/vcpu.ts'
import type { MachineConfig } from '../machine/config.ts'
import { buildMachine, generateProcessor, type BuiltMachine } from '../machine/build.ts'
import type { Machine, MachineBackends, MachineMemory } from '../machine/machine.ts'
import { MachineClock } from '../machine/machine-clock.ts'
import { RunLoop } from '../machine/run-loop.ts'
import { monitorReply } from './monitor/monitor.ts'
import { fillRandom } from './random.ts'
import { TranslatorPort, type TranslatorStart } from './translator/start.ts'
import {
  allocate,
  bootFiles,
  HostError,
  noteLog,
  openIo,
  RingConsole,
  serveOwner,
  startSeconds,
  type Io,
  type VcpuStart,
} from './vcpu-host.ts'
import { VcpuDebugger } from './vcpu-debugger.ts'

/**
 * Jumps to a place before it is translated, and the guest instructions after which what was counted is halved: together a rate, of code that is used much just now.
 * What is translated earlier costs V8's threads more than the code gains. Measured against a threshold of 30,000 for a lifetime (CPU seconds of the whole process, in turns):
 * boot of the tutorial's Debian 16.7 instead of 19.5, gcc three times over 13.8 instead of 16.2; boot, python, fork+exec and loops the same. 256 MiB written to the share take
 * longer the first time, while all of it is translated (1.4 s of wall time instead of 1.0), and less from the third on (0.5 instead of 0.7).
 */
const HOT = 4000
const COOL_EVERY = 20_000_000

/** A halted vCPU looks for so long for what the io worker is at before it sleeps, ms. An idle guest has nothing there, and sleeps at once. */
const HALT_LOOK = 0.2

const port = parentPort
if (port === null) throw new Error('the vCPU worker is a worker')
const post = (message: FromVcpu, transfer: Transferable[] = []): void => port.postMessage(message, transfer)

class VcpuWorker {
  private readonly given: VcpuStart
  private readonly config: MachineConfig
  private readonly control: ControlBlock
  private readonly clock = new MachineClock()
  /** COM1, then the virtio consoles. */
  private readonly consoles: readonly RingConsole[]
  private built: BuiltMachine | undefined
  private io: Io | undefined
  private thread: TranslatorPort | undefined
  private loop: RunLoop | undefined
  private debugger: VcpuDebugger | undefined
  private ended: { reason: ExitReason; code: number } | undefined
  private resetWanted: string | undefined
  /** The guest is asked to switch off, and then begins again. */
  private restarting = false
  private paused: boolean

  constructor(given: VcpuStart) {
    const { config, buffers } = given
    this.given = given
    this.config = config
    this.paused = config.startPaused
    this.control = new ControlBlock(buffers.control)
    this.consoles = buffers.consoles.map((console) => new RingConsole(console))
  }

  async start(): Promise<void> {
    const { config } = this
    this.control.publish(VcpuState.starting)
    const memory = allocate(config)
    const opening = openIo(this.given, memory, (gpa, length) => this.built?.machine.ram.written(gpa, length))
    // a file that cannot be opened is told below
    opening.catch(() => undefined)
    const processor = generateProcessor(config, memory.map)
    this.io = await opening
    const backends: MachineBackends = {
      serial: this.consoles[0],
      consoles: this.consoles.slice(1),
      disks: this.io.disks,
      shares: this.io.shares,
      random: { fill: fillRandom },
      power: {
        reset: (reason) => {
          this.resetWanted = reason
        },
        powerOff: () => {
          if (this.restarting) this.resetWanted = 'restart'
          else this.end('power-off', 0)
        },
        debugExit: (code) => this.end('debug-exit', exitCode('debug-exit', code)),
      },
      log: noteLog(post),
      ...bootFiles(config),
      startSeconds: startSeconds(config.rtc),
    }
    this.built = buildMachine(config, memory, this.clock, backends, processor)
    if (config.accelerator === 'jit') this.startTranslator(memory)
    this.loop = new RunLoop(this.built.machine, this.clock, {
      attend: () => this.attend(),
      sleep: (timeout) => this.sleep(timeout),
      tripleFault: () => {
        this.resetWanted = 'triple fault'
      },
      stopped: (reason) => this.debugger!.loopStopped(reason),
    })
    this.debugger = this.makeDebugger(this.built.machine, this.loop)
    this.boot()
    post({ type: 'started', accelerator: config.accelerator })
    if (this.paused) this.debugger.stop({ kind: 'start' })
    this.live()
    await this.io.close()
    const end = this.ended ?? { reason: 'quit', code: 0 }
    this.control.publish(VcpuState.ended)
    post({ type: 'exited', ...end })
  }

  private startTranslator({ map, memory }: MachineMemory): void {
    const { cpu } = this.config
    // the memory was allocated as a shared one
    const buffer = memory.buffer as SharedArrayBuffer
    const start: TranslatorStart = { memory: buffer, map, cpu, control: this.given.buffers.control }
    this.thread = new TranslatorPort()
    post({ type: 'translator', start, port: this.thread.other }, [this.thread.other])
    this.built!.machine.cpu.translateHot(HOT, { thread: this.thread, coolEvery: COOL_EVERY })
  }

  private makeDebugger(machine: Machine, loop: RunLoop): VcpuDebugger {
    const isPaused = () => this.paused
    return new VcpuDebugger({
      machine,
      loop,
      post,
      get paused() {
        return isPaused()
      },
      setPaused: (paused) => {
        this.paused = paused
      },
    })
  }

  private boot(): void {
    const result = this.built!.boot()
    if (!result.ok) throw new HostError(`${this.config.kernel ?? 'the kernel'}: ${result.error.message}`)
    this.loop!.restart()
  }

  private end(reason: ExitReason, code: number): void {
    this.ended ??= { reason, code }
  }

  /** Runs, pauses and resets until the machine has ended. */
  private live(): void {
    while (!this.ended) {
      if (this.paused) {
        this.clock.pause()
        this.control.publish(VcpuState.paused)
        this.control.sleep()
        this.takeEvents()
        continue
      }
      this.clock.resume()
      this.control.publish(VcpuState.running)
      this.loop!.run()
      this.built!.machine.serial.flush()
      if (this.resetWanted !== undefined && !this.ended) this.reset()
    }
    this.io!.client.drain()
  }

  private reset(): void {
    this.resetWanted = undefined
    this.restarting = false
    if (this.config.noReboot) {
      this.end('guest-reset', 0)
      return
    }
    if (!this.io!.client.drain()) throw new Error('the disks did not answer before the reset')
    this.boot()
    this.debugger!.restarted()
    post({ type: 'reset' })
  }

  private attend(): boolean {
    if (this.control.pending()) this.takeEvents()
    return !this.ended && !this.paused && this.resetWanted === undefined
  }

  private sleep(timeout: number | undefined): void {
    if (this.io!.client.served() && this.control.raisedWithin(Math.min(timeout ?? HALT_LOOK, HALT_LOOK))) return
    this.control.publish(VcpuState.halted)
    this.control.sleep(timeout)
    this.control.publish(VcpuState.running)
  }

  private takeEvents(): void {
    const events = this.control.take()
    if (events & Event.ioDone) this.io!.client.poll()
    if (events & Event.input) for (const console of this.consoles) console.onReadable?.()
    if (events & Event.codeReady) this.takeRegions()
    if (events & Event.message) this.takeMessages()
  }

  private takeRegions(): void {
    const { cpu } = this.built!.machine
    for (let made = this.thread!.take(); made !== undefined; made = this.thread!.take())
      cpu.translator!.receive(made, !cpu.breakpoints.executing)
  }

  private takeMessages(): void {
    for (let got = receiveMessageOnPort(port!); got !== undefined; got = receiveMessageOnPort(port!)) {
      const message = got.message as ToVcpu
      switch (message.type) {
        case 'pause':
          this.debugger!.stop({ kind: 'pause' })
          post({ type: 'paused' })
          break
        case 'resume':
          this.debugger!.resume()
          break
        case 'reset':
          this.resetWanted = 'asked for'
          break
        case 'powerButton':
        case 'restart':
          this.restarting = message.type === 'restart'
          this.built!.machine.powerButton()
          break
        case 'resize':
          this.consoles[message.console]?.onResize?.(message)
          break
        case 'quit':
          this.end('quit', 0)
          break
        case 'monitor':
          this.answerMonitor(message.id, message.line)
          break
        case 'debug':
          this.debugger!.request(message.id, message.request)
          break
        case 'translatorEnded':
          // its last answers may have come after the events were taken, and stop() forgets what was asked
          this.takeRegions()
          this.built!.machine.cpu.translator?.stop()
          break
        case 'start':
          throw new Error('the machine is running already')
      }
    }
  }

  private answerMonitor(id: number, line: string): void {
    post({ type: 'reply', id, text: this.monitor(line) })
  }

  private monitor(line: string): string {
    const { config, paused } = this
    return monitorReply({ machine: this.built!.machine, config, paused }, line)
  }

  crashDetails(): string {
    return this.built ? this.monitor('info registers') : ''
  }
}

serveOwner(port, (given) => new VcpuWorker(given))
