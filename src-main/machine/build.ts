/** From a configuration to a machine that can be booted: the instruction set of its CPU model, its virtio devices, its first state. */
import type { BootResult } from '../boot/types.ts'
import { generateCore, type Core } from '../cpu/core.ts'
import { cpuModel, type CpuModel } from '../cpu/helpers/cpu-model.ts'
import { instructionSet } from '../cpu/instruction-set.ts'
import type { MemoryMap } from '../cpu/state/layout.ts'
import { VirtioBlock } from '../devices/virtio/block.ts'
import { VirtioConsole } from '../devices/virtio/console/device.ts'
import type { VirtioDevice } from '../devices/virtio/device.ts'
import { VirtioNinep } from '../devices/virtio/ninep/device.ts'
import { VirtioPci } from '../devices/virtio/pci.ts'
import { VirtioRng } from '../devices/virtio/rng.ts'
import type { MachineConfig } from './config.ts'
import { enterKernel } from './initial-state.ts'
import { Machine, TSC_HZ, type MachineBackends, type MachineMemory, type VirtioFactory } from './machine.ts'
import type { MachineClock } from './machine-clock.ts'
import { warmUp } from './warm-up.ts'

export interface BuiltMachine {
  readonly machine: Machine
  /** Reset of everything and the kernel loaded anew. */
  boot(): BootResult
}

/** virtio functions in the order of QEMU's command line: shares, disks, entropy, consoles. */
const virtioDevices: VirtioFactory = ({ memory, apic, backends, config }) => {
  const devices: VirtioDevice[] = backends.shares.map((share, n) => new VirtioNinep(`virtio-9p${n}`, share))
  config.disks.forEach((disk, n) => {
    if (disk.bus === 'virtio') devices.push(new VirtioBlock(`virtio-blk${n}`, backends.disks[n]!))
  })
  if (config.entropy) devices.push(new VirtioRng(backends.random))
  backends.consoles.forEach((console, n) => devices.push(new VirtioConsole(`virtio-console${n}`, console)))
  return devices.map((device) => new VirtioPci(device, { memory, msi: apic, log: backends.log }))
}

/** The part of a machine that needs neither devices nor files: the generated engine of its CPU model. */
export interface Processor {
  readonly model: CpuModel
  readonly core: Core
  /** Features that were asked for and do not exist. */
  readonly unavailable: readonly string[]
}

/** Takes a fifth of a second: enough time for another thread to open what the machine needs. */
export function generateProcessor(config: MachineConfig, map: MemoryMap): Processor {
  const { model, unavailable } = cpuModel({ ...config.cpu, tscHz: TSC_HZ })
  return {
    model,
    unavailable,
    core: generateCore(
      map,
      instructionSet((feature) => model.has(feature)),
    ),
  }
}

export function buildMachine(
  config: MachineConfig,
  memory: MachineMemory,
  clock: MachineClock,
  backends: MachineBackends,
  { model, core, unavailable }: Processor = generateProcessor(config, memory.map),
): BuiltMachine {
  const machine = new Machine(config, memory, clock, backends, core, virtioDevices)
  machine.cpu.model = model
  for (const name of unavailable) backends.log.warn('cpu', `the CPU has no feature ${name}`)
  warmUp(machine.cpu)
  const boot = (): BootResult => {
    const result = machine.boot()
    if (result.ok) enterKernel(machine.cpu, result.cpu)
    return result
  }
  return { machine, boot }
}
