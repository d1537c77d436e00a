import { describe, expect, it } from 'vitest'
import type { Cpu } from './cpu.ts'
import { EXIT } from './interpreter/loop.ts'
import { FLAT_CODE, flat64 } from './test-flat64.ts'
import { AT, RAX, RBX, RDX } from './state/layout.ts'

/** Linear and physical addresses of the two pages that code lies on where it lies on two. */
const BORDER = FLAT_CODE + 0x1000

/** Registers and count of instructions at the end; `hot` jumps make a region, 0: none. */
function outcome(cpu: Cpu, hot: number): readonly bigint[] {
  if (hot > 0) cpu.translateHot(hot)
  for (let n = 0; n < 16; n++) if (n !== 4) cpu.setGpr(n, 0n)
  expect(cpu.run(10_000_000)).toBe(EXIT.halt)
  return [...Array.from({ length: 16 }, (_, n) => cpu.gpr(n)), cpu.u64(AT.retired), BigInt(cpu.rflags)]
}

describe('the flow inside a region', () => {
  it('follows calls and returns, recursion included', () => {
    // mov edi,16; call fib; hlt; fib: cmp edi,2; jae M; mov eax,edi; ret; M: push rdi; dec edi; call fib; pop rdi
    const code = [0xbf, 16, 0, 0, 0, 0xe8, 1, 0, 0, 0, 0xf4, 0x83, 0xff, 2, 0x73, 3, 0x89, 0xf8, 0xc3, 0x57, 0xff, 0xcf]
    // push rax; sub edi,2; call fib; pop rcx; add eax,ecx; ret
    code.push(
      0xe8,
      0xf0,
      0xff,
      0xff,
      0xff,
      0x5f,
      0x50,
      0x83,
      0xef,
      2,
      0xe8,
      0xe6,
      0xff,
      0xff,
      0xff,
      0x59,
      1,
      0xc8,
      0xc3,
    )
    const plain = outcome(flat64(code), 0)
    expect(plain[RAX]).toBe(987n)
    const cpu = flat64(code)
    expect(outcome(cpu, 5)).toEqual(plain)
    // a region left at each call would be entered by the interpreter, or by another region, thousands of times
    expect(cpu.translateHot(5).counts.made).toBeLessThan(5)
    expect(cpu.u64(AT.regionEntries)).toBeLessThan(10n)
  })
  it('follows indirect calls and jumps to where they go, and leaves where they go elsewhere', () => {
    // lea rbx,[rip+T]; mov ecx,400; L: mov edx,ecx; and edx,3; call [rbx+rdx*8]; mov rdx,[rbx+32]; jmp rdx; nop; B: dec ecx; jnz L; hlt
    const code = [0x48, 0x8d, 0x1d, 0, 0, 0, 0, 0xb9, 0x90, 1, 0, 0, 0x89, 0xca, 0x83, 0xe2, 3, 0xff, 0x14, 0xd3]
    code.push(0x48, 0x8b, 0x53, 32, 0xff, 0xe2, 0x90, 0xff, 0xc9, 0x75, 0xed, 0xf4)
    const places = [code.length, code.length + 3, code.length + 7]
    // inc eax; ret; add eax,2; ret; xor eax,ecx; ret
    code.push(0xff, 0xc0, 0xc3, 0x83, 0xc0, 2, 0xc3, 0x31, 0xc8, 0xc3)
    const table = code.length
    code[3] = table - 7
    // one of four is on a page of its own
    const targets = [...places, 0x3000, 27].map((at) => FLAT_CODE + at)
    const make = (): Cpu => {
      const cpu = flat64(code)
      const { ramBase } = cpu.map
      cpu.bytes.set([0x83, 0xe8, 5, 0xc3], ramBase + FLAT_CODE + 0x3000)
      targets.forEach((at, n) => cpu.view.setBigUint64(ramBase + FLAT_CODE + table + 8 * n, BigInt(at), true))
      return cpu
    }
    const plain = outcome(make(), 0)
    const cpu = make()
    expect(outcome(cpu, 20)).toEqual(plain)
    // the loop, and the function on the other page; each function would be a region of its own
    expect(cpu.translateHot(20).counts).toMatchObject({ made: 2, instructions: 16 })
  })
  it('follows a return to another place than the one that called', () => {
    // mov ecx,100; L: call F; add eax,1 (3 bytes); dec ecx; jnz L; hlt; F: test cl,1; jz R; add qword [rsp],3; R: ret
    const code = [0xb9, 100, 0, 0, 0, 0xe8, 8, 0, 0, 0, 0x83, 0xc0, 1, 0xff, 0xc9, 0x75, 0xf4, 0xf4]
    code.push(0xf6, 0xc1, 1, 0x74, 5, 0x48, 0x83, 4, 0x24, 3, 0xc3)
    const plain = outcome(flat64(code), 0)
    expect(plain[RAX]).toBe(50n)
    expect(outcome(flat64(code), 5)).toEqual(plain)
  })
  it('stays where a loop is entered in its middle', () => {
    // mov edx,50; B: mov ecx,9; test dl,1; jz M; L: add eax,1; M: add ebx,1; dec ecx; jnz L; dec edx; jnz B; hlt
    const code = [0xba, 50, 0, 0, 0, 0xb9, 9, 0, 0, 0, 0xf6, 0xc2, 1, 0x74, 3, 0x83, 0xc0, 1, 0x83, 0xc3, 1]
    code.push(0xff, 0xc9, 0x75, 0xf6, 0xff, 0xca, 0x75, 0xe8, 0xf4)
    const plain = outcome(flat64(code), 0)
    expect([plain[RAX], plain[RBX], plain[RDX]]).toEqual([425n, 450n, 0n])
    const cpu = flat64(code)
    expect(outcome(cpu, 20)).toEqual(plain)
    expect(cpu.u64(AT.regionEntries)).toBeLessThan(8n)
  })
})

/** mov ecx,1000; jmp to the loop; the loop lies on two pages, its add eax,3 (0x83 0xc0 3) with one byte on the first. */
function onTwoPages(): Cpu {
  const cpu = flat64([])
  const { ramBase } = cpu.map
  const start = [0xb9, 0xe8, 3, 0, 0, 0xe9, 0xf2, 0xef, 0xff, 0xff]
  cpu.bytes.set(start, ramBase + BORDER + 0x1000)
  cpu.setU64(AT.rip, BigInt(BORDER + 0x1000))
  // L: add ebx,1; nop; add eax,3; dec ecx; jnz L; hlt
  cpu.bytes.set([0x83, 0xc3, 1, 0x90, 0x83], ramBase + BORDER - 5)
  cpu.bytes.set([0xc0, 3, 0xff, 0xc9, 0x75, 0xf5, 0xf4], ramBase + BORDER)
  // the jump's target
  cpu.view.setInt32(ramBase + BORDER + 0x1006, BORDER - 5 - (BORDER + 0x100a), true)
  return cpu
}

/** A page for the second page's place, and that one's page-table entry. */
const OTHER = 0x50000
const ENTRY = 0x4000 + (BORDER / 4096) * 8

/** 4 KiB pages for the first 2 MiB. */
function smallPages(cpu: Cpu): void {
  const put = (at: number, value: number): void => cpu.view.setBigUint64(cpu.map.ramBase + at, BigInt(value), true)
  put(0x2000, 0x3003)
  put(0x3000, 0x4003)
  for (let n = 0; n < 512; n++) put(0x4000 + 8 * n, n * 4096 + 3)
}

/** The loop gives the second page's place to two pages in turn, which add 3 and 5. */
function onChangingPages(): Cpu {
  const cpu = flat64([])
  smallPages(cpu)
  const { ramBase } = cpu.map
  const start = BORDER + 0x1000
  const word = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >> shift) & 255)
  // mov ecx,1000; mov edi,ENTRY; mov esi,..; mov edx,..; mov ebp,BORDER; jmp L
  const setUp = [0xb9, ...word(1000), 0xbf, ...word(ENTRY), 0xbe, ...word(OTHER + 3), 0xba, ...word(BORDER + 3)]
  setUp.push(0xbd, ...word(BORDER))
  cpu.bytes.set([...setUp, 0xe9, ...word(BORDER - 11 - (start + setUp.length + 5))], ramBase + start)
  // L: mov [rdi],rsi; xchg rsi,rdx; invlpg [rbp]; nop
  cpu.bytes.set([0x48, 0x89, 0x37, 0x48, 0x87, 0xd6, 0x0f, 0x01, 0x7d, 0, 0x90], ramBase + BORDER - 11)
  // add eax,3 or 5; dec ecx; jnz L; hlt
  for (const [page, step] of [
    [BORDER, 3],
    [OTHER, 5],
  ] as const)
    cpu.bytes.set([0x83, 0xc0, step, 0xff, 0xc9, 0x75, 0xee, 0xf4], ramBase + page)
  cpu.setU64(AT.rip, BigInt(start))
  return cpu
}

describe('a region on two pages', () => {
  it('sees that another page follows since the page tables changed in its middle', () => {
    const plain = outcome(onChangingPages(), 0)
    expect(plain[RAX]).toBe(4000n)
    const cpu = onChangingPages()
    expect(outcome(cpu, 5)).toEqual(plain)
    expect(cpu.u64(AT.regionInstructions)).toBeGreaterThan(1500n)
  })
  it('goes on over the border', () => {
    const plain = outcome(onTwoPages(), 0)
    expect([plain[RAX], plain[RBX]]).toEqual([3000n, 1000n])
    const cpu = onTwoPages()
    expect(outcome(cpu, 5)).toEqual(plain)
    expect(cpu.u64(AT.regionEntries)).toBeLessThan(4n)
    expect(cpu.u64(AT.regionInstructions)).toBeGreaterThan(4900n)
  })
  it('goes with a byte of its second page', () => {
    const cpu = onTwoPages()
    outcome(cpu, 5)
    const { counts } = cpu.translateHot(5)
    cpu.bytes[cpu.map.ramBase + BORDER + 1] = 4
    cpu.written(cpu.map.ramBase + BORDER + 1, 1)
    expect(counts.dropped).toBe(1)
    cpu.setU64(AT.rip, BigInt(BORDER + 0x1000))
    expect(outcome(cpu, 5)[RAX]).toBe(4000n)
  })
  it('is not run where another page follows the first', () => {
    const cpu = onTwoPages()
    outcome(cpu, 5)
    smallPages(cpu)
    // behind the first page of the loop is now one that adds 5
    cpu.bytes.copyWithin(cpu.map.ramBase + OTHER, cpu.map.ramBase + BORDER, cpu.map.ramBase + BORDER + 16)
    cpu.bytes[cpu.map.ramBase + OTHER + 1] = 5
    cpu.view.setUint32(cpu.map.ramBase + ENTRY, OTHER + 3, true)
    cpu.flushTlb()
    cpu.setU64(AT.rip, BigInt(BORDER + 0x1000))
    expect(outcome(cpu, 60_000)[RAX]).toBe(5000n)
    expect(cpu.translateHot(5).counts).toMatchObject({ made: 1, dropped: 0 })
  })
})
