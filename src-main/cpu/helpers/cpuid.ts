/** CPUID (SDM vol. 2; AMD APM vol. 3, appendix E). */
import type { Cpu } from '../cpu.ts'
import { MAXPHYADDR } from '../mmu/access.ts'
import { STATUS } from '../semantics/context.ts'
import { AT, RAX, RBX, RCX, RDX } from '../state/layout.ts'
import { FEATURE_BITS, type CpuModel } from './cpu-model.ts'
import type { Helper } from './helper.ts'

interface Leaf {
  eax: number
  ebx: number
  ecx: number
  edx: number
}
const BRAND = 'Longmode virtual x86-64 processor'
const HYPERVISOR = 'LongmodeVM\0\0'
const TSC_KHZ = 1_000_000

const word = (text: string, at: number): number => {
  let v = 0
  for (let i = 3; i >= 0; i--) v = (v << 8) | (text.charCodeAt(at + i) || 0)
  return v
}

function featureLeaf(model: CpuModel, leaf: number): Leaf {
  const out: Leaf = { eax: 0, ebx: 0, ecx: 0, edx: 0 }
  for (const name of model.features) {
    const [at, register, bit] = FEATURE_BITS[name]!
    if (at === leaf) out[register] |= 1 << bit
  }
  return out
}
/** Family 15 model 107 stepping 1 for AMD (QEMU's qemu64), family 6 model 6 stepping 3 for Intel (its max). */
const signature = (model: CpuModel): number => (model.vendor === 'AuthenticAMD' ? 0x00060fb1 : 0x00000663)

function basic(cpu: Cpu, model: CpuModel): Leaf {
  const leaf = featureLeaf(model, 1)
  leaf.eax = signature(model)
  leaf.ebx = (8 << 8) | (1 << 16)
  if (cpu.u64(AT.cr4) & (1n << 18n)) leaf.ecx |= 1 << 27
  return leaf
}
/** Leaf 4: L1 data and instruction 32 KiB 8-way, L2 512 KiB 16-way. */
function caches(index: number): Leaf {
  const cache = (type: number, level: number, ways: number, sets: number): Leaf => ({
    eax: type | (level << 5) | (1 << 8),
    ebx: 63 | ((ways - 1) << 22),
    ecx: sets - 1,
    edx: 0,
  })
  return [cache(1, 1, 8, 64), cache(2, 1, 8, 64), cache(3, 2, 16, 512)][index] ?? NOTHING
}
/** Leaf 0Dh: the legacy area and header alone. */
function extendedState(model: CpuModel, index: number): Leaf {
  if (!model.has('xsave')) return NOTHING
  if (index === 0) return { eax: 3, ebx: 576, ecx: 576, edx: 0 }
  if (index === 1) return { ...featureLeaf(model, 0xd), ebx: 0, ecx: 0, edx: 0 }
  return NOTHING
}
const NOTHING: Leaf = { eax: 0, ebx: 0, ecx: 0, edx: 0 }

function extended(model: CpuModel, leaf: number): Leaf {
  const amd = model.vendor === 'AuthenticAMD'
  switch (leaf) {
    case 0x80000000:
      return { ...NOTHING, eax: 0x80000008 | 0, ...vendorWords(amd ? model.vendor : '\0'.repeat(12)) }
    case 0x80000001: {
      const out = featureLeaf(model, leaf)
      // AMD repeats the low features of leaf 1 here
      if (amd) out.edx |= featureLeaf(model, 1).edx & 0x0183f3ff & ~(1 << 11)
      return { ...out, eax: amd ? signature(model) : 0 }
    }
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: {
      const at = (leaf & 7) * 16 - 32
      return { eax: word(BRAND, at), ebx: word(BRAND, at + 4), ecx: word(BRAND, at + 8), edx: word(BRAND, at + 12) }
    }
    case 0x80000005:
      return { eax: 0x01ff01ff, ebx: 0x01ff01ff, ecx: 0x40020140, edx: 0x40020140 }
    case 0x80000006:
      return { eax: 0, ebx: 0x42004200, ecx: 0x02008140, edx: 0 }
    case 0x80000007:
      return featureLeaf(model, leaf)
    case 0x80000008:
      return { ...NOTHING, eax: MAXPHYADDR | (48 << 8) }
    default:
      return NOTHING
  }
}
const vendorWords = (vendor: string): Omit<Leaf, 'eax'> => ({
  ebx: word(vendor, 0),
  edx: word(vendor, 4),
  ecx: word(vendor, 8),
})

export function cpuidLeaf(cpu: Cpu, model: CpuModel, leaf: number, index: number): Leaf {
  if (leaf >= 0x80000000) return extended(model, leaf)
  if (leaf === 0x40000000)
    return { eax: 0x40000010, ebx: word(HYPERVISOR, 0), ecx: word(HYPERVISOR, 4), edx: word(HYPERVISOR, 8) }
  // as other hypervisors do: TSC and bus frequency in kHz
  if (leaf === 0x40000010) return { eax: TSC_KHZ, ebx: 1_000_000, ecx: 0, edx: 0 }
  switch (leaf) {
    case 0:
      return { eax: 0xd, ...vendorWords(model.vendor) }
    case 1:
      return basic(cpu, model)
    case 2:
      return model.vendor === 'GenuineIntel' ? { eax: 1, ebx: 0, ecx: 0x4d, edx: 0x2c307d } : NOTHING
    case 4:
      return model.vendor === 'GenuineIntel' ? caches(index) : NOTHING
    case 7:
      return index === 0 ? featureLeaf(model, 7) : NOTHING
    case 0xd:
      return extendedState(model, index)
    default:
      return NOTHING
  }
}

const cpuid: Helper = (cpu) => {
  const model = cpu.model
  if (!model) throw new Error('the vCPU has no model')
  const leaf = cpuidLeaf(cpu, model, Number(cpu.gpr(RAX, 4)), Number(cpu.gpr(RCX, 4)))
  cpu.setGpr(RAX, BigInt(leaf.eax), 4)
  cpu.setGpr(RBX, BigInt(leaf.ebx), 4)
  cpu.setGpr(RCX, BigInt(leaf.ecx), 4)
  cpu.setGpr(RDX, BigInt(leaf.edx), 4)
  return STATUS.next
}
export const CPUID_HELPERS: Readonly<Record<string, Helper>> = { cpuid }
