import { beforeAll, describe, expect, it } from 'vitest'
import type { Cpu } from '../cpu.ts'
import { updateBlocked } from '../helpers/blocked.ts'
import { EXIT } from '../interpreter/loop.ts'
import { AT } from '../state/layout.ts'
import { bareCpu, enterFlat64, FLAT_CODE as CODE } from '../test-flat64.ts'

const DATA = 0x20000
const HLT = 0xf4
const CR4_PAE = 0x20n
const CR4_OSFXSR = 0x200n

let cpu: Cpu
beforeAll(() => {
  cpu = bareCpu(4 << 20, 64)
  enterFlat64(cpu)
})

function setXmm(n: number, high: bigint, low: bigint): void {
  cpu.setU64(AT.xmm + 16 * n, low)
  cpu.setU64(AT.xmm + 16 * n + 8, high)
}
const xmm = (n: number): string =>
  ((cpu.u64(AT.xmm + 16 * n + 8) << 64n) | cpu.u64(AT.xmm + 16 * n)).toString(16).padStart(32, '0')

/** Runs one instruction (hexadecimal) with rbx = DATA; returns the exit reason, HLT's where it went well. */
function run(code: string, cr0 = 0x80050033n, cr4 = CR4_PAE | CR4_OSFXSR): number {
  const bytes = code
    .replace(/ /g, '')
    .match(/../g)!
    .map((x) => parseInt(x, 16))
  cpu.setU64(AT.cr0, cr0)
  cpu.setU64(AT.cr4, cr4)
  updateBlocked(cpu)
  const at = cpu.map.ramBase + CODE
  cpu.bytes.set([...bytes, HLT], at)
  cpu.written(at, bytes.length + 1)
  cpu.setU64(AT.rip, BigInt(CODE))
  cpu.setGpr(3, BigInt(DATA))
  return cpu.run(2)
}
const ok = (code: string): void => expect(run(code)).toBe(EXIT.halt)
function faults(vector: number, ...args: Parameters<typeof run>): void {
  expect(run(...args)).toBe(EXIT.exception)
  expect(cpu.u32(AT.excVector)).toBe(vector)
}
const setData = (at: number, value: bigint): void => cpu.view.setBigUint64(cpu.map.ramBase + DATA + at, value, true)
const data = (at: number): bigint => cpu.view.getBigUint64(cpu.map.ramBase + DATA + at, true)

const A: [bigint, bigint] = [0x0f0e0d0c0b0a0908n, 0x0706050403020100n]
const B: [bigint, bigint] = [0x8f7e6d5c4b3a2918n, 0xf7e6d5c4b3a29180n]

describe('moves', () => {
  it('loads and stores, aligned or not', () => {
    setData(0, 1n)
    setData(8, 2n)
    setData(16, 3n)
    ok('0f 28 03') // movaps xmm0, [rbx]
    expect(xmm(0)).toBe('00000000000000020000000000000001')
    ok('f3 0f 6f 4b 08') // movdqu xmm1, [rbx+8]
    expect(xmm(1)).toBe('00000000000000030000000000000002')
    faults(13, '66 0f 6f 4b 08') // movdqa xmm1, [rbx+8]
    faults(13, '0f 29 4b 08')
    faults(13, '66 0f fe 4b 08') // paddd xmm1, [rbx+8]
    ok('0f 11 4b 18') // movups [rbx+24], xmm1
    expect(data(32)).toBe(3n)
  })
  it('clears the upper part on scalar loads, keeps it between registers', () => {
    setXmm(0, ...A)
    setData(0, 0x1122334455667788n)
    ok('f3 0f 10 03') // movss xmm0, [rbx]
    expect(xmm(0)).toBe('00000000000000000000000055667788')
    setXmm(1, ...B)
    ok('f2 0f 10 c8') // movsd xmm1, xmm0
    expect(xmm(1)).toBe('8f7e6d5c4b3a29180000000055667788')
    ok('f3 0f 7e c9') // movq xmm1, xmm1
    expect(xmm(1)).toBe('00000000000000000000000055667788')
    cpu.setGpr(0, 0x8899aabbccddeeffn)
    ok('66 48 0f 6e d0') // movq xmm2, rax
    ok('66 0f 7e d1') // movd ecx, xmm2
    expect(cpu.gpr(1)).toBe(0xccddeeffn)
  })
  it('shuffles by immediate', () => {
    setXmm(1, ...A)
    ok('66 0f 70 c1 1b')
    expect(xmm(0)).toBe('03020100070605040b0a09080f0e0d0c')
    ok('f2 0f 70 c1 1b')
    expect(xmm(0)).toBe('0f0e0d0c0b0a09080100030205040706')
    ok('f3 0f 70 c1 1b')
    expect(xmm(0)).toBe('09080b0a0d0c0f0e0706050403020100')
    setXmm(0, ...B)
    ok('0f c6 c1 4e') // shufps xmm0, xmm1, 4e: 2,3 of xmm0, 0,1 of xmm1
    expect(xmm(0)).toBe('07060504030201008f7e6d5c4b3a2918')
    ok('66 0f 3a 0f c1 05') // palignr
    expect(xmm(0)).toBe('5c4b3a29180f0e0d0c0b0a0908070605')
  })
})

describe('integers', () => {
  it('adds, compares, packs, multiplies', () => {
    setXmm(0, ...A)
    setXmm(1, ...B)
    ok('66 0f fc c1') // paddb
    expect(xmm(0)).toBe('9e8c7a6856443220feecdac8b6a49280')
    ok('66 0f 66 c1') // pcmpgtd xmm0 > xmm1
    expect(xmm(0)).toBe('ffffffffffffffffffffffffffffffff')
    setXmm(0, 0x8000800080008000n, 0x7fff000300020001n)
    ok('66 0f 38 0b c0') // pmulhrsw
    expect(xmm(0)).toBe('80008000800080007ffe000000000000')
    setXmm(2, 0xffff80007fff0100n, 0x00ff0080007f0000n)
    ok('66 0f 67 d2') // packuswb
    expect(xmm(2)).toBe('0000ffffff807f000000ffffff807f00')
  })
  it('shifts by more than the width', () => {
    setXmm(0, ...B)
    ok('66 0f 71 e0 14') // psraw xmm0, 20
    expect(xmm(0)).toBe('ffff000000000000ffffffffffffffff')
    setXmm(0, ...B)
    setXmm(1, 0n, 1n << 40n)
    ok('66 0f d2 c1') // psrld
    expect(xmm(0)).toBe('0'.repeat(32))
    setXmm(0, ...A)
    ok('66 0f 73 f8 03') // pslldq
    expect(xmm(0)).toBe('0c0b0a09080706050403020100000000')
  })
  it('finds the smallest word and tests bits', () => {
    setXmm(1, 0x0009000800050007n, 0x0006000500ff0100n)
    ok('66 0f 38 41 c1')
    expect(xmm(0)).toBe('00000000000000000000000000020005')
    ok('66 0f 38 17 c1') // ptest: bits in common none, but source has more
    expect(cpu.rflags & 0x8d5).toBe(0)
  })
})

describe('MMX', () => {
  it('writes the significand, sets the exponent, TOP and tags', () => {
    cpu.setU32(AT.ftop, 3)
    cpu.setU32(AT.ftw, 0xffff)
    setData(0, 0x0001000200030004n)
    ok('0f 6f 0b') // movq mm1, [rbx]
    ok('0f fd c9') // paddw mm1, mm1
    expect(cpu.u64(AT.st + 16)).toBe(0x0002000400060008n)
    expect(cpu.view.getUint16(AT.st + 24, true)).toBe(0xffff)
    expect([cpu.u32(AT.ftop), cpu.u32(AT.ftw)]).toEqual([0, 0])
    ok('0f 68 c9') // punpckhbw mm1, mm1
    expect(cpu.u64(AT.st + 16)).toBe(0x0000020200000404n)
    ok('0f 77')
    expect(cpu.u32(AT.ftw)).toBe(0xffff)
  })
})

describe('availability', () => {
  it('raises #UD and #NM as CR0 and CR4 say', () => {
    faults(6, '66 0f ef c0', 0x80050033n, CR4_PAE)
    faults(6, '66 0f ef c0', 0x80050037n)
    faults(7, '66 0f ef c0', 0x8005003bn)
    faults(6, '0f ef c0', 0x80050037n)
    faults(7, '0f ef c0', 0x8005003bn)
    expect(run('0f ef c0', 0x80050033n, CR4_PAE)).toBe(EXIT.halt)
  })
})
