/** Segments, gates, mode switches, control registers, MSRs and CPUID on a bare vCPU, by the manual. */
import { describe, expect, it } from 'vitest'
import { testCpu, type TestCpu } from './test-cpu.ts'
import { deliverException, deliverInterrupt } from '../interrupts/deliver.ts'
import { debugAfter, debugBefore } from '../interrupts/debug.ts'
import { EXIT } from '../interpreter/loop.ts'
import { AT, CS, DS, LDTR, RAX, RBX, RCX, RDX, RSP, segAt, SS, TR } from '../state/layout.ts'
import { cpuModel } from './cpu-model.ts'
import { cpuidLeaf } from './cpuid.ts'
import { readMsr, writeMsr } from './msr.ts'
import { resetCpu } from './reset.ts'

const exception = (t: TestCpu): [number, number] => [t.cpu.u32(AT.excVector), t.cpu.u32(AT.excError)]
const HLT = 0xf4

describe('reset', () => {
  it('starts at the reset vector in real mode', () => {
    const { cpu } = testCpu()
    resetCpu(cpu)
    expect(cpu.u64(AT.rip)).toBe(0xfff0n)
    expect(cpu.u64(segAt(CS, 'base'))).toBe(0xffff0000n)
    expect(cpu.u64(AT.cr0)).toBe(0x60000010n)
    expect(cpu.u32(AT.codeSize)).toBe(2)
    expect(cpu.gpr(RDX)).toBe(0x663n)
    expect(cpu.u64(AT.dr + 48)).toBe(0xffff0ff0n)
  })
})

describe('real mode', () => {
  it('stores strings relative to ES', () => {
    const t = testCpu()
    // mov ax,0x1000; mov es,ax; xor di,di; mov al,0x5a; stosb; hlt
    t.real([0xb8, 0x00, 0x10, 0x8e, 0xc0, 0x31, 0xff, 0xb0, 0x5a, 0xaa, HLT])
    expect(t.run()).toBe(EXIT.halt)
    expect(t.read32(0x10000) & 0xff).toBe(0x5a)
  })
  it('delivers INT through the vector table and comes back by IRET', () => {
    const t = testCpu()
    t.real([0xcd, 0x21, HLT])
    t.put(0x21 * 4, [0x00, 0x20, 0x00, 0x01]) // 0100:2000
    t.put(0x3000, [0xb8, 0x34, 0x12, 0xcf]) // mov ax,0x1234; iret
    t.cpu.setU32(AT.eflags, 0x200)
    expect(t.run()).toBe(EXIT.halt)
    expect(t.cpu.gpr(RAX, 2)).toBe(0x1234n)
    expect(t.cpu.u32(AT.eflags) & 0x200).toBe(0x200)
  })
  it('keeps the limit of a segment that protected mode enlarged', () => {
    const t = testCpu()
    t.real([0xb8, 0x00, 0x10, 0x8e, 0xd8, HLT]) // mov ax,0x1000; mov ds,ax
    t.cpu.setU32(segAt(DS, 'limit'), 0xffff_ffff)
    expect(t.run()).toBe(EXIT.halt)
    expect(t.cpu.u32(segAt(DS, 'limit'))).toBe(0xffff_ffff)
    expect(t.cpu.u64(segAt(DS, 'base'))).toBe(0x10000n)
  })
  it('shuts down when the vector table is too short', () => {
    const t = testCpu()
    t.real([HLT])
    t.cpu.setU32(AT.idtrLimit, 0)
    expect(deliverInterrupt(t.cpu, 0x30)).toBe('triple-fault')
  })
  it('enters protected mode and comes back', () => {
    const t = testCpu()
    // mov eax,cr0; or al,1; mov cr0,eax; jmp 08:next
    t.real([0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, 0x66, 0xea, 0x00, 0x70, 0, 0, 8, 0])
    t.gdt()
    // 32-bit: mov ebx, 0x12345678; hlt
    t.put(0x7000, [0xbb, 0x78, 0x56, 0x34, 0x12, HLT])
    expect(t.run()).toBe(EXIT.halt)
    expect(t.cpu.gpr(RBX)).toBe(0x12345678n)
    expect(t.cpu.u32(AT.codeSize)).toBe(4)
  })
})

describe('protected mode', () => {
  it('refuses selectors with the right error codes', () => {
    for (const [selector, vector, code] of [
      [0x1000, 13, 0x1000], // beyond the limit
      [0x08, 13, 8], // execute-only would do, but code that is not readable
      [0x38, 11, 0x38], // not present
    ] as const) {
      const t = testCpu()
      t.protected([0xb8, selector & 0xff, selector >> 8, 0, 0, 0x8e, 0xd8, HLT])
      t.descriptor(1, 0, 0xfffff, 0xc098)
      t.descriptor(7, 0, 0xfffff, 0xc013)
      expect(t.run()).toBe(EXIT.exception)
      expect(exception(t)).toEqual([vector, code])
    }
  })
  it('refuses a null and a read-only SS with #GP, one that is not present with #SS', () => {
    for (const [selector, vector, code] of [
      [0, 13, 0],
      [0x38, 13, 0x38],
      [0x40, 12, 0x40],
    ] as const) {
      const t = testCpu()
      t.protected([0xb8, selector, 0, 0, 0, 0x8e, 0xd0, HLT])
      t.descriptor(7, 0, 0xfffff, 0xc091)
      t.descriptor(8, 0, 0xfffff, 0xc013)
      expect(t.run()).toBe(EXIT.exception)
      expect(exception(t)).toEqual([vector, code])
    }
  })
  it('sets the accessed bit of a descriptor', () => {
    const t = testCpu()
    t.protected([0xb8, 0x38, 0, 0, 0, 0x8e, 0xd8, HLT])
    t.descriptor(7, 0x1000, 0xffff, 0x4092)
    expect(t.run()).toBe(EXIT.halt)
    expect(t.cpu.bytes[t.ram + t.gdtAt + 7 * 8 + 5]).toBe(0x93)
    expect(t.cpu.u32(segAt(DS, 'flat'))).toBe(0)
  })
  it('calls through a gate to level 0 with parameters and returns', () => {
    const t = testCpu()
    // level 3: call 0x48|3:0 ; then int 0x30, which is not for it
    t.protected([0x9a, 0, 0, 0, 0, 0x4b, 0, HLT], 3)
    t.callGate(9, 8, 0x7000, 0xec, 2)
    t.tss32(0x6000, 0x10)
    t.push32(0x1111)
    t.push32(0x2222)
    const before = t.cpu.gpr(RSP)
    // mov eax,[esp+8] ; mov ebx,[esp+12]; retf 8
    t.put(0x7000, [0x8b, 0x44, 0x24, 8, 0x8b, 0x5c, 0x24, 12, 0xca, 8, 0])
    expect(t.run()).toBe(EXIT.exception) // HLT at level 3
    expect(t.cpu.gpr(RAX)).toBe(0x2222n)
    expect(t.cpu.gpr(RBX)).toBe(0x1111n)
    expect(t.cpu.gpr(RSP)).toBe(before + 8n)
    expect(t.cpu.u32(AT.cpl)).toBe(3)
    expect(t.cpu.u32(segAt(SS, 'selector'))).toBe(0x23)
  })
  it('switches the stack for an interrupt from level 3 and IRET goes back', () => {
    const t = testCpu()
    t.protected([0xcd, 0x30, HLT], 3)
    t.tss32(0x6000, 0x10)
    t.gate32(0x30, 8, 0x7000, 0xee)
    t.put(0x7000, [0x89, 0xe3, 0xcf]) // mov ebx,esp; iret
    expect(t.run()).toBe(EXIT.exception)
    expect(t.cpu.gpr(RBX)).toBe(0x6000n - 20n)
    expect(t.cpu.u32(AT.cpl)).toBe(3)
  })
  it('refuses INT through a gate of a higher privilege', () => {
    const t = testCpu()
    t.protected([0xcd, 0x30, HLT], 3)
    t.tss32(0x6000, 0x10)
    t.gate32(0x30, 8, 0x7000, 0x8e)
    t.gate32(13, 8, 0x7000, 0x8e)
    t.put(0x7000, [HLT])
    expect(t.run()).toBe(EXIT.halt)
    const sp = Number(t.cpu.gpr(RSP))
    expect(t.read32(sp)).toBe(0x30 * 8 + 2)
    // the fault is the INT's own
    expect(t.read32(sp + 4)).toBe(t.start)
  })
  it('switches tasks by a call to a TSS and back by IRET', () => {
    const t = testCpu()
    t.protected([0x9a, 0, 0, 0, 0, 0x58, 0, 0xb9, 7, 0, 0, 0, HLT])
    t.tss32(0x6000, 0x10)
    t.descriptor(11, 0x9000, 0x67, 0x0089)
    const tss = (offset: number, value: number) => t.put32(0x9000 + offset, value)
    tss(32, 0x7000)
    tss(36, 2)
    tss(40, 0xabcd)
    tss(56, 0x5000)
    for (const [n, selector] of [0x10, 8, 0x10, 0x10, 0x10, 0x10].entries()) tss(72 + 4 * n, selector)
    t.put(0x7000, [0x89, 0xc3, 0xcf]) // mov ebx,eax; iret
    expect(t.run()).toBe(EXIT.halt)
    expect(t.cpu.gpr(RCX)).toBe(7n)
    // the new task's RBX went into its TSS; TR is the first task's again, and busy
    expect(t.read32(0x9000 + 52)).toBe(0xabcd)
    expect(t.cpu.u32(segAt(TR, 'selector'))).toBe(0x28)
    expect(t.cpu.bytes[t.ram + t.gdtAt + 11 * 8 + 5]).toBe(0x89)
    expect(t.cpu.u32(AT.cr0) & 8).toBe(8)
  })
  it('makes a double fault of #GP while #NP is delivered, and shuts down without a gate for it', () => {
    const t = testCpu()
    t.protected([HLT])
    t.gate32(8, 8, 0x7000, 0x8e)
    t.cpu.pend(11, 0x10)
    expect(deliverException(t.cpu)).toBe('ok')
    expect(t.cpu.u64(AT.rip)).toBe(0x7000n)
    const u = testCpu()
    u.protected([HLT])
    u.cpu.pend(11, 0x10)
    expect(deliverException(u.cpu)).toBe('triple-fault')
    expect(u.cpu.gpr(RSP)).toBe(0x8000n)
  })
})

describe('virtual-8086 mode', () => {
  it('is entered by IRET and left by an interrupt', () => {
    const t = testCpu()
    t.protected([0xcf])
    t.tss32(0x6000, 0x10)
    t.gate32(13, 8, 0x7000, 0x8e)
    for (const value of [0x40, 0x30, 0x20, 0x10, 0x100, 0x1000, 0x2_0002, 0x200, 0]) t.push32(value)
    t.put(0x2000, [0xcd, 0x21]) // int 0x21 with IOPL 0: #GP
    t.put(0x7000, [HLT])
    expect(t.run()).toBe(EXIT.halt)
    expect(t.cpu.u32(AT.cpl)).toBe(0)
    expect(t.cpu.u32(AT.codeSize)).toBe(4)
    expect(t.cpu.u32(segAt(DS, 'attr'))).toBe(0)
    // GS FS DS ES SS ESP EFLAGS CS EIP error
    const sp = Number(t.cpu.gpr(RSP))
    expect(sp).toBe(0x6000 - 40)
    expect(t.read32(sp)).toBe(0)
    expect(t.read32(sp + 4)).toBe(0)
    expect(t.read32(sp + 8)).toBe(0x200)
    expect(t.read32(sp + 36)).toBe(0x40)
  })
})

describe('64-bit mode', () => {
  it('uses the interrupt stack of a gate and aligns it', () => {
    const t = testCpu()
    t.long([HLT])
    t.tss64({ ist1: 0x6008 })
    t.gate64(14, 8, 0x7000, 0x8e, 1)
    t.cpu.pend(14, 2)
    expect(deliverException(t.cpu)).toBe('ok')
    expect(t.cpu.gpr(RSP)).toBe(0x6000n - 48n)
    expect(t.read32(0x6000 - 48)).toBe(2)
    // RF is set in the saved flags of a fault
    expect(t.read32(0x6000 - 24) & 0x10000).toBe(0x10000)
  })
  it('goes to level 3 by IRETQ and comes back by SYSCALL, to level 3 again by SYSRET', () => {
    for (const vendor of ['AuthenticAMD', 'GenuineIntel'] as const) {
      const t = testCpu(vendor)
      t.long([0x48, 0xcf])
      t.put(0x7000, [0x0f, 0x05, HLT])
      t.put(0x7100, [0x48, 0x89, 0xcb, 0x48, 0x0f, 0x07]) // mov rbx,rcx; sysretq
      writeMsr(t.cpu, 0xc0000081, 0x0018_0008_0000_0000n)
      writeMsr(t.cpu, 0xc0000082, 0x7100n)
      writeMsr(t.cpu, 0xc0000084, 0x200n)
      for (const value of [0x23, 0x5000, 0x202, 0x2b, 0x7000]) t.push64(value)
      expect(t.run()).toBe(EXIT.exception)
      expect(exception(t)).toEqual([13, 0])
      expect(t.cpu.gpr(RBX)).toBe(0x7002n)
      expect(t.cpu.u64(AT.rip)).toBe(0x7002n)
      expect(t.cpu.u32(AT.cpl)).toBe(3)
      expect(t.cpu.gpr(RSP)).toBe(0x5000n)
      expect(t.cpu.u32(AT.eflags) & 0x200).toBe(0x200)
      expect(t.cpu.u32(segAt(CS, 'selector'))).toBe(0x2b)
    }
  })
  it('refuses SYSENTER on AMD and takes it on Intel', () => {
    const amd = testCpu()
    amd.long([0x0f, 0x34])
    writeMsr(amd.cpu, 0x174, 8n)
    expect(amd.run()).toBe(EXIT.exception)
    expect(exception(amd)[0]).toBe(6)
    const intel = testCpu('GenuineIntel')
    intel.long([0x0f, 0x34])
    intel.put(0x7000, [HLT])
    writeMsr(intel.cpu, 0x174, 8n)
    writeMsr(intel.cpu, 0x176, 0x7000n)
    expect(intel.run()).toBe(EXIT.halt)
  })
  it('refuses reserved bits of control registers', () => {
    for (const code of [
      [0x48, 0xb8, 0, 0, 0, 0, 1, 0, 0, 0, 0x0f, 0x22, 0xc0], // CR0 above 32 bits
      [0xb8, 0, 0, 0, 0x80, 0x0f, 0x22, 0xc0], // PG without PE
      [0xb8, 0, 0x20, 0, 0, 0x0f, 0x22, 0xe0], // CR4 without PAE in IA-32e mode, and VMXE
      [0x48, 0xb8, 0, 0, 0, 0, 0, 1, 0, 0, 0x0f, 0x22, 0xd8], // CR3 bit 40
    ]) {
      const t = testCpu()
      t.long([...code, HLT])
      expect(t.run()).toBe(EXIT.exception)
      expect(exception(t)).toEqual([13, 0])
    }
  })
  it('loads a 16-byte TSS and LDT descriptor', () => {
    const t = testCpu()
    t.long([0xb8, 0x38, 0, 0, 0, 0x0f, 0x00, 0xd8, 0xb8, 0x48, 0, 0, 0, 0x0f, 0x00, 0xd0, HLT])
    t.descriptor(7, 0x9000, 0x67, 0x0089)
    t.put32(t.gdtAt + 8 * 8, 0xffff_8000)
    t.descriptor(9, 0xa000, 0x1f, 0x0082)
    t.put32(t.gdtAt + 10 * 8, 0)
    expect(t.run()).toBe(EXIT.halt)
    expect(t.cpu.u64(segAt(TR, 'base'))).toBe(0xffff_8000_0000_9000n)
    expect(t.cpu.u32(segAt(TR, 'attr')) & 15).toBe(11)
    expect(t.cpu.u32(segAt(LDTR, 'limit'))).toBe(0x1f)
  })
})

describe('debug registers', () => {
  it('single-steps with DR6.BS', () => {
    const t = testCpu()
    t.long([0x90, 0x90, HLT])
    t.cpu.setU32(AT.eflags, 0x100)
    expect(debugBefore(t.cpu)).toBe(false)
    t.cpu.run(1)
    expect(debugAfter(t.cpu)).toBe(true)
    expect(t.cpu.u64(AT.dr + 48)).toBe(0xffff4ff0n)
    expect(t.cpu.u64(AT.rip)).toBe(BigInt(t.start) + 1n)
  })
  it('strikes at code breakpoints unless RF is set', () => {
    const t = testCpu()
    t.long([0x90, HLT])
    t.cpu.setU64(AT.dr, BigInt(t.start))
    t.cpu.setU64(AT.dr + 56, 0x402n)
    expect(debugBefore(t.cpu)).toBe(true)
    expect(t.cpu.u64(AT.dr + 48) & 15n).toBe(1n)
    t.cpu.setU32(AT.eflags, 0x10000)
    expect(debugBefore(t.cpu)).toBe(false)
    t.cpu.run(1)
    expect(debugAfter(t.cpu)).toBe(false)
    expect(t.cpu.u32(AT.eflags) & 0x10000).toBe(0)
  })
  it('sees writes to a watched address', () => {
    const t = testCpu()
    // mov eax,0xd0002 (write, 4 bytes); mov dr7,rax ; mov [0x9002],al
    t.long([0xb8, 2, 0, 0x0d, 0, 0x0f, 0x23, 0xf8, 0x88, 0x04, 0x25, 2, 0x90, 0, 0, HLT])
    t.cpu.setU64(AT.dr, 0x9000n)
    expect(t.cpu.run(10)).toBe(EXIT.look)
    expect(debugBefore(t.cpu)).toBe(false)
    t.cpu.run(1)
    expect(debugAfter(t.cpu)).toBe(true)
    expect(t.cpu.u64(AT.dr + 48) & 15n).toBe(1n)
  })
})

describe('MSRs and CPUID', () => {
  it('refuses what does not exist or does not fit', () => {
    const { cpu } = testCpu()
    expect(readMsr(cpu, 0x12345)).toBeUndefined()
    expect(writeMsr(cpu, 0xc0000082, 1n << 47n)).toBe(false)
    expect(writeMsr(cpu, 0x277, 2n)).toBe(false)
    expect(writeMsr(cpu, 0xc0000080, 2n)).toBe(false)
    expect(writeMsr(cpu, 0x277, 0x0007040600070401n)).toBe(true)
    expect(readMsr(cpu, 0x277)).toBe(0x0007040600070401n)
  })
  it('moves the time stamp counter and keeps the adjustment', () => {
    const { cpu } = testCpu()
    expect(writeMsr(cpu, 0x10, 5000n)).toBe(true)
    expect(readMsr(cpu, 0x10)).toBe(5000n)
    expect(readMsr(cpu, 0x3b)).toBe(5000n)
  })
  it('claims only what the model has', () => {
    const t = testCpu()
    t.cpu.model = cpuModel({
      model: 'qemu64',
      vendor: 'AuthenticAMD',
      features: [{ name: 'sse4.1', on: true }],
    }).model
    const [, ebx, ecx] = cpuidLeaf(t.cpu, 1, 0)
    expect(ecx & (1 << 19)).toBe(0) // SSE4.1 cannot be without SSSE3
    expect(ebx >>> 8).toBe(0x108)
    expect(cpuidLeaf(t.cpu, 0, 0)[1]).toBe(0x68747541)
    const max = cpuModel({ model: 'max', vendor: 'GenuineIntel', features: [{ name: 'avx2', on: true }] })
    expect(max.unavailable).toEqual(['avx2'])
    expect(max.model.features.has('sse4_2')).toBe(true)
  })
})
