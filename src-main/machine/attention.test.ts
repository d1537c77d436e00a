import { expect, it } from 'vitest'
import { AT } from '../cpu/state/layout.ts'
import { bareMachine } from './test-bare-machine.ts'

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

it('an interrupt that is raised inside an instruction ends the slice when the guest allows it', () => {
  const { built, time } = bareMachine(CODE)
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
