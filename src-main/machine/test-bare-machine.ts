import { elf } from '../boot/test-images.ts'
import { buildMachine } from './build.ts'
import { defaultMachine } from './config.ts'
import { InstructionTime, type Stepped } from './lockstep.ts'
import { allocateMemory } from './machine.ts'

const START = 0x200000

/** A machine of 32 MiB with nothing attached, for tests; `code` is its kernel, entered in 64-bit mode, and its clock counts instructions. */
export function bareMachine(code: readonly number[]): Stepped {
  const time = new InstructionTime()
  const config = { ...defaultMachine, memory: 32 * 1048576 }
  const built = buildMachine(config, allocateMemory(config.memory), time.clock, {
    consoles: [],
    serial: { write: () => undefined, read: () => new Uint8Array(0), onReadable: undefined, onBreak: undefined },
    disks: [],
    shares: [],
    random: { fill: (target) => void target.fill(4) },
    power: { reset: () => undefined, powerOff: () => undefined, debugExit: () => undefined },
    log: { warn: () => undefined, info: () => undefined },
    kernel: elf({
      bits: 64,
      machine: 62,
      entry: BigInt(START),
      segments: [{ type: 1, vaddr: BigInt(START), paddr: START, data: Uint8Array.from(code) }],
    }),
    kernelName: 'code',
    initrd: undefined,
    startSeconds: 0,
  })
  return { built, time }
}
