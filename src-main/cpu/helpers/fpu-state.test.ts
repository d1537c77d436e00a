import { describe, expect, it } from 'vitest'
import { VECTOR } from '../mmu/access.ts'
import { AT, RAX } from '../state/layout.ts'
import { updateBlocked } from './blocked.ts'
import { TestCpu } from './test-cpu.ts'

const AREA = 0x9000
const HEADER = AREA + 512
const HLT = 0xf4
/** XSAVE64, XRSTOR64 and XSAVEOPT64 [AREA]. */
const at = (digit: number): number[] => [0x48, 0x0f, 0xae, 0x04 | (digit << 3), 0x25, 0, 0x90, 0, 0]
const XSAVE = at(4)
const XRSTOR = at(5)
const XSAVEOPT = at(6)
const FNINIT = [0xdb, 0xe3]
const FLD1 = [0xd9, 0xe8]
const ONE = 0x8000000000000000n

function machine(code: readonly number[], components: number): TestCpu {
  const t = new TestCpu('AuthenticAMD')
  t.long([...code, HLT])
  t.cpu.setU64(AT.cr4, 0x40620n)
  t.cpu.setU64(AT.xcr0, 3n)
  updateBlocked(t.cpu)
  t.cpu.setGpr(RAX, BigInt(components))
  t.cpu.setU32(AT.mxcsr, 0x1fa0)
  t.cpu.setU64(AT.xmm + 16, 0x1122334455667788n)
  t.cpu.run(100)
  return t
}

describe('XSAVE and XRSTOR (SDM vol. 1, chapter 13)', () => {
  it.each([
    ['XSAVE', XSAVE],
    ['XSAVEOPT', XSAVEOPT],
  ])('%s writes both components and tells which', (_name, save) => {
    const t = machine([...FNINIT, ...FLD1, ...save], 3)
    expect(t.read32(HEADER)).toBe(3)
    expect(t.read32(AREA) & 0xffff).toBe(0x37f)
    expect(t.cpu.u64(t.ram + AREA + 32)).toBe(ONE)
    expect(t.read32(AREA + 24)).toBe(0x1fa0)
    expect(t.cpu.u64(t.ram + AREA + 160 + 16)).toBe(0x1122334455667788n)
  })

  it('leaves alone what was not asked for', () => {
    const t = machine([...FNINIT, ...FLD1, ...XSAVE], 1)
    expect(t.read32(HEADER)).toBe(1)
    expect(t.cpu.u64(t.ram + AREA + 32)).toBe(ONE)
    expect(t.read32(AREA + 24)).toBe(0)
    expect(t.cpu.u64(t.ram + AREA + 160 + 16)).toBe(0n)
  })

  it('restores what the header has and initialises the rest', () => {
    const save = [...FNINIT, ...FLD1, ...XSAVE]
    // AND dword [HEADER], 1: only x87 is there
    const only = [0x83, 0x24, 0x25, 0, 0x92, 0, 0, 1]
    const t = machine([...save, ...only, ...FNINIT, ...XRSTOR], 3)
    expect(t.cpu.u64(AT.st + 16 * 7)).toBe(ONE)
    expect(t.cpu.u32(AT.ftop)).toBe(7)
    expect(t.cpu.u64(AT.xmm + 16)).toBe(0n)
  })

  it('refuses a header with unknown components, and an area off alignment', () => {
    const unknown = [0xc7, 0x04, 0x25, 0, 0x92, 0, 0, 4, 0, 0, 0]
    expect(machine([...unknown, ...XRSTOR], 3).cpu.u32(AT.excVector)).toBe(VECTOR.GP)
    const odd = [...XSAVE]
    odd[5] = 0x20
    expect(machine(odd, 3).cpu.u32(AT.excVector)).toBe(VECTOR.GP)
  })
})
