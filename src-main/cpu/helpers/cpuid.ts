/** CPUID (SDM vol. 2, CPUID; AMD APM vol. 3, appendix E). */
import type { Cpu } from '../cpu.ts'
import { MAXPHYADDR } from '../mmu/access.ts'
import { STATUS } from '../semantics/context.ts'
import { AT, RAX, RBX, RCX, RDX } from '../state/layout.ts'
import { FEATURES, type CpuModel, type Register } from './cpu-model.ts'
import type { Helper } from './helper.ts'
import { CR4 } from './modes.ts'

type Answer = readonly [eax: number, ebx: number, ecx: number, edx: number]
const NOTHING: Answer = [0, 0, 0, 0]
const REGISTERS: readonly Register[] = ['eax', 'ebx', 'ecx', 'edx']

/** The feature bits of a leaf. */
function bits(model: CpuModel, leaf: number): [number, number, number, number] {
  const out: [number, number, number, number] = [0, 0, 0, 0]
  for (const f of FEATURES)
    if (f.leaf === leaf && model.features.has(f.name)) out[REGISTERS.indexOf(f.register)]! |= 1 << f.bit
  return out
}
function text(value: string): number[] {
  const words: number[] = []
  for (let i = 0; i < value.length; i += 4) {
    let word = 0
    for (let b = 0; b < 4; b++) word |= (value.charCodeAt(i + b) & 0xff) << (8 * b)
    words.push(word)
  }
  return words
}

const OSXSAVE = 1 << 27
const APIC = 1 << 9
/** IA32_APIC_BASE and its enable bit. */
const APIC_BASE = 0x1b
const APIC_ENABLE = 0x800n
/** CLFLUSH line of 64 bytes, one logical processor, APIC id 0. */
const LEAF1_EBX = (8 << 8) | (1 << 16)

function leaf1(cpu: Cpu): Answer {
  const [, , ecx, edx] = bits(cpu.model, 1)
  const osxsave = cpu.u32(AT.cr4) & CR4.OSXSAVE ? OSXSAVE : 0
  const base = cpu.host.apic.readMsr(APIC_BASE)
  const off = base !== undefined && !(base & APIC_ENABLE) ? APIC : 0
  return [cpu.model.signature, LEAF1_EBX, ecx | osxsave, edx & ~off]
}

interface Cache {
  readonly type: 1 | 2 | 3
  readonly level: number
  readonly kib: number
  readonly ways: number
}
const CACHES: readonly Cache[] = [
  { type: 1, level: 1, kib: 32, ways: 8 },
  { type: 2, level: 1, kib: 32, ways: 8 },
  { type: 3, level: 2, kib: 512, ways: 16 },
  { type: 3, level: 3, kib: 16384, ways: 16 },
]
const LINE = 64
/** Deterministic cache parameters. */
function leaf4(subleaf: number): Answer {
  const cache = CACHES[subleaf]
  if (!cache) return NOTHING
  const sets = (cache.kib * 1024) / LINE / cache.ways
  return [cache.type | (cache.level << 5) | (1 << 8), ((cache.ways - 1) << 22) | (LINE - 1), sets - 1, 0]
}

/** XSAVE area: 512 bytes of FXSAVE and 64 of header; no other component. */
const XSAVE_BYTES = 576
function leafD(model: CpuModel, subleaf: number): Answer {
  if (!model.features.has('xsave')) return NOTHING
  if (subleaf === 0) return [3, XSAVE_BYTES, XSAVE_BYTES, 0]
  return subleaf === 1 ? [bits(model, 13)[0], 0, 0, 0] : NOTHING
}

/** Clock of the local APIC timer, which Linux takes for the crystal. */
const CRYSTAL_HZ = 1_000_000_000
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))
function leaf15(tscHz: number): Answer {
  const common = gcd(tscHz, CRYSTAL_HZ)
  return [CRYSTAL_HZ / common, tscHz / common, CRYSTAL_HZ, 0]
}

function basic(cpu: Cpu, leaf: number, subleaf: number): Answer {
  const { model } = cpu
  const intel = model.vendor === 'GenuineIntel'
  const vendor = text(model.vendor)
  switch (leaf) {
    case 0:
      return [model.level, vendor[0]!, vendor[2]!, vendor[1]!]
    case 1:
      return leaf1(cpu)
    case 2:
      // L1 data 32K, L1 code 32K, L2 2M, L3 16M (SDM vol. 2, table 3-12)
      return intel ? [1, 0, 0x4d, 0x2c307d] : NOTHING
    case 4:
      return intel ? leaf4(subleaf) : NOTHING
    case 6:
      return bits(model, 6)
    case 7:
      return subleaf === 0 ? bits(model, 7) : NOTHING
    case 0xb:
      // one thread in one core; level type 1 SMT, 2 core
      if (subleaf > 1) return [0, 0, subleaf, 0]
      return [0, 1, subleaf | ((subleaf + 1) << 8), 0]
    case 0xd:
      return leafD(model, subleaf)
    case 0x15:
      return model.tscHz === undefined ? NOTHING : leaf15(model.tscHz)
    case 0x16:
      return model.tscHz === undefined ? NOTHING : [model.tscHz / 1e6, model.tscHz / 1e6, CRYSTAL_HZ / 1e6, 0]
    default:
      return NOTHING
  }
}

const HYPERVISOR_TOP = 0x4000_0010
/** Signature in EBX ECX EDX; leaf 0x40000010 has the TSC and the APIC bus in kHz as VMware and KVM have it. */
function hypervisor(model: CpuModel, leaf: number): Answer {
  const [b, c, d] = text('Longmode\0\0\0\0')
  if (leaf === 0x4000_0000) return [HYPERVISOR_TOP, b!, c!, d!]
  if (leaf === HYPERVISOR_TOP && model.tscHz !== undefined)
    return [Math.round(model.tscHz / 1000), CRYSTAL_HZ / 1000, 0, 0]
  return NOTHING
}

const EXTENDED_TOP = 0x8000_0008
/** Bits of leaf 1 EDX that AMD repeats in leaf 0x80000001 EDX. */
const AMD_REPEATED = 0x0183_f3ff
function extended(model: CpuModel, leaf: number): Answer {
  const amd = model.vendor === 'AuthenticAMD'
  const vendor = text(model.vendor)
  switch (leaf) {
    case 0x8000_0000:
      return [EXTENDED_TOP | 0, vendor[0]!, vendor[2]!, vendor[1]!]
    case 0x8000_0001: {
      const [, , ecx, edx] = bits(model, leaf)
      return [amd ? model.signature : 0, 0, ecx, amd ? edx | (bits(model, 1)[3] & AMD_REPEATED) : edx]
    }
    case 0x8000_0002:
    case 0x8000_0003:
    case 0x8000_0004: {
      const words = text(model.brand.padEnd(48, '\0'))
      const at = (leaf - 0x8000_0002) * 4
      return [words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!]
    }
    case 0x8000_0005:
      // TLBs of 255 entries; L1 caches of 32 KiB, 8 ways, lines of 64 bytes
      return amd ? [0x01ff_01ff, 0x01ff_01ff, 0x2008_0140, 0x2008_0140] : NOTHING
    case 0x8000_0006:
      // L2 of 512 KiB, 16 ways; L3 of 32 times 512 KiB, 16 ways (APM: code 8)
      return amd ? [0x4200_4200, 0x4200_4200, 0x0200_8140, 0x0080_8140] : [0, 0, 0x0200_8040, 0]
    case 0x8000_0007:
      return bits(model, leaf)
    case 0x8000_0008:
      return [MAXPHYADDR | (48 << 8), 0, 0, 0]
    default:
      return NOTHING
  }
}

export function cpuidLeaf(cpu: Cpu, leaf: number, subleaf: number): Answer {
  const { model } = cpu
  if (leaf >= 0x8000_0000 && leaf <= EXTENDED_TOP) return extended(model, leaf)
  if (leaf >= 0x4000_0000 && leaf <= HYPERVISOR_TOP && model.features.has('hypervisor')) return hypervisor(model, leaf)
  // beyond the top Intel answers with the highest basic leaf; AMD with zeros
  if (leaf <= model.level) return basic(cpu, leaf, subleaf)
  return model.vendor === 'GenuineIntel' ? basic(cpu, model.level, subleaf) : NOTHING
}

const cpuid: Helper = (cpu) => {
  const answer = cpuidLeaf(cpu, Number(cpu.gpr(RAX, 4)), Number(cpu.gpr(RCX, 4)))
  const order = [RAX, RBX, RCX, RDX]
  order.forEach((n, i) => cpu.setGpr(n, BigInt(answer[i]! >>> 0), 4))
  return STATUS.next
}

export const CPUID: Readonly<Record<string, Helper>> = { cpuid }
