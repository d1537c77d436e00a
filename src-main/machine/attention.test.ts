import { expect, it } from 'vitest'
import { elf } from '../boot/test-images.ts'
import { AT } from '../cpu/state/layout.ts'
import { buildMachine } from './build.ts'
import { defaultMachine } from './config.ts'
import { InstructionTime } from './lockstep.ts'
import { allocateMemory } from './machine.ts'

/** A device that answers inside the guest's store to it: here the local APIC, told to interrupt its own processor. */
const CODE = [
  ...[0xb8, 0x00, 0x00, 0xe0, 0xfe], // mov eax, 0xfee00000
  ...[0xfa], // cli
  ...[0xc7, 0x80, 0xf0, 0x00, 0x00, 0x00, 0xff, 0x01, 0x00, 0x00], // mov dword [rax + 0xf0], 0x1ff: enabled
  ...[0xc7, 0x80, 0x00, 0x03, 0x00, 0x00, 0x40, 0x00, 0x04, 0x00], // mov dword [rax + 0x300], 0x40040: vector 0x40 to self
  ...[0xfb], // sti
  ...[0xff, 0xc1], // L: inc ecx
  ...[0xeb, 0xfc], // jmp L
]
const START = 0x200000

it('an interrupt that is raised inside an instruction ends the slice when the guest allows it', () => {
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
      segments: [{ type: 1, vaddr: BigInt(START), paddr: START, data: Uint8Array.from(CODE) }],
    }),
    kernelName: 'interrupts itself',
    initrd: undefined,
    startSeconds: 0,
  })
  const { machine } = built
  const { cpu } = machine
  time.cpu = cpu
  expect(built.boot()).toMatchObject({ ok: true })
  const before = cpu.u64(AT.retired)
  cpu.run(20_000)
  // the store to ICR and STI; at most the instruction in STI's shadow
  expect(Number(cpu.u64(AT.retired) - before)).toBeLessThanOrEqual(6)
  expect(machine.apic.hasInterrupt()).toBe(true)
})
