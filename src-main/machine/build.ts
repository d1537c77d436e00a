/** From a configuration to a machine that can be booted: the instruction set of its CPU model, its virtio devices, its first state. */
import type { BootResult } from '../boot/types.ts'
import { cpuModel } from '../cpu/helpers/cpu-model.ts'
import { instructionSet } from '../cpu/instruction-set.ts'
import type { MachineConfig } from './config.ts'
import { enterKernel } from './initial-state.ts'
import { Machine, type MachineBackends, type MachineMemory, type VirtioFactory } from './machine.ts'
import type { MachineClock } from './machine-clock.ts'

export interface BuiltMachine {
  readonly machine: Machine
  /** Reset of everything and the kernel loaded anew. */
  boot(): BootResult
}

export function buildMachine(
  config: MachineConfig,
  memory: MachineMemory,
  clock: MachineClock,
  backends: MachineBackends,
  virtio: VirtioFactory = () => [],
): BuiltMachine {
  const model = cpuModel(config.cpu)
  const machine = new Machine(
    config,
    memory,
    clock,
    backends,
    instructionSet((feature) => model.has(feature)),
    virtio,
  )
  model.apply(machine.cpu)
  const boot = (): BootResult => {
    const result = machine.boot()
    if (result.ok) enterKernel(machine.cpu, result.cpu)
    return result
  }
  return { machine, boot }
}
