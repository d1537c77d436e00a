/** CPU models: which features CPUID offers, and so which opcodes exist (SDM vol. 2, CPUID; AMD APM vol. 3, appendix E). */
import type { Cpu } from '../cpu.ts'

export interface CpuModelConfig {
  readonly model: 'qemu64' | 'max'
  readonly vendor: 'AuthenticAMD' | 'GenuineIntel'
  readonly features: readonly { readonly name: string; readonly on: boolean }[]
}

/** Leaf, register and bit of each feature. Names are QEMU's, with underscores for dots and dashes. */
export const FEATURE_BITS: Readonly<
  Record<string, readonly [leaf: number, register: 'eax' | 'ebx' | 'ecx' | 'edx', bit: number]>
> = {
  fpu: [1, 'edx', 0],
  de: [1, 'edx', 2],
  pse: [1, 'edx', 3],
  tsc: [1, 'edx', 4],
  msr: [1, 'edx', 5],
  pae: [1, 'edx', 6],
  mce: [1, 'edx', 7],
  cx8: [1, 'edx', 8],
  apic: [1, 'edx', 9],
  sep: [1, 'edx', 11],
  mtrr: [1, 'edx', 12],
  pge: [1, 'edx', 13],
  mca: [1, 'edx', 14],
  cmov: [1, 'edx', 15],
  pat: [1, 'edx', 16],
  pse36: [1, 'edx', 17],
  clflush: [1, 'edx', 19],
  mmx: [1, 'edx', 23],
  fxsr: [1, 'edx', 24],
  sse: [1, 'edx', 25],
  sse2: [1, 'edx', 26],
  sse3: [1, 'ecx', 0],
  pclmulqdq: [1, 'ecx', 1],
  ssse3: [1, 'ecx', 9],
  cx16: [1, 'ecx', 13],
  pcid: [1, 'ecx', 17],
  sse4_1: [1, 'ecx', 19],
  sse4_2: [1, 'ecx', 20],
  x2apic: [1, 'ecx', 21],
  movbe: [1, 'ecx', 22],
  popcnt: [1, 'ecx', 23],
  tsc_deadline: [1, 'ecx', 24],
  aes: [1, 'ecx', 25],
  xsave: [1, 'ecx', 26],
  rdrand: [1, 'ecx', 30],
  hypervisor: [1, 'ecx', 31],
  fsgsbase: [7, 'ebx', 0],
  tsc_adjust: [7, 'ebx', 1],
  bmi1: [7, 'ebx', 3],
  smep: [7, 'ebx', 7],
  bmi2: [7, 'ebx', 8],
  erms: [7, 'ebx', 9],
  invpcid: [7, 'ebx', 10],
  rdseed: [7, 'ebx', 18],
  adx: [7, 'ebx', 19],
  smap: [7, 'ebx', 20],
  clflushopt: [7, 'ebx', 23],
  clwb: [7, 'ebx', 24],
  sha: [7, 'ebx', 29],
  umip: [7, 'ecx', 2],
  rdpid: [7, 'ecx', 22],
  fsrm: [7, 'edx', 4],
  xsaveopt: [0xd, 'eax', 0],
  lahf_lm: [0x80000001, 'ecx', 0],
  abm: [0x80000001, 'ecx', 5],
  prefetchw: [0x80000001, 'ecx', 8],
  syscall: [0x80000001, 'edx', 11],
  nx: [0x80000001, 'edx', 20],
  pdpe1gb: [0x80000001, 'edx', 26],
  rdtscp: [0x80000001, 'edx', 27],
  lm: [0x80000001, 'edx', 29],
  invtsc: [0x80000007, 'edx', 8],
}

const BASE =
  'fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 sse3 cx16 hypervisor lahf_lm syscall nx lm tsc_deadline tsc_adjust'
const MAX =
  'pclmulqdq ssse3 pcid sse4_1 sse4_2 x2apic movbe popcnt aes xsave rdrand fsgsbase bmi1 smep bmi2 erms invpcid rdseed adx smap clflushopt clwb sha umip rdpid fsrm xsaveopt abm prefetchw pdpe1gb rdtscp invtsc'

/** Features whose opcodes the engine has; the others of `max` stay off until they are written. */
const MODELS: Readonly<Record<CpuModelConfig['model'], readonly string[]>> = {
  qemu64: BASE.split(' '),
  max: `${BASE} ${MAX}`.split(' '),
}

/** Bits of CR4 that need a feature. */
const CR4_BITS: Readonly<Record<string, bigint>> = {
  pcid: 1n << 17n,
  smep: 1n << 20n,
  smap: 1n << 21n,
  umip: 1n << 11n,
  fsgsbase: 1n << 16n,
  xsave: 1n << 18n,
}

const normal = (name: string): string => ALIASES[name] ?? name.replace(/[.-]/g, '_')
const ALIASES: Readonly<Record<string, string>> = {
  pni: 'sse3',
  'sse4.1': 'sse4_1',
  'sse4.2': 'sse4_2',
  lzcnt: 'abm',
  'sha-ni': 'sha',
  sha_ni: 'sha',
  'tsc-deadline': 'tsc_deadline',
  '3dnowprefetch': 'prefetchw',
}

export interface CpuModel {
  readonly vendor: CpuModelConfig['vendor']
  readonly model: CpuModelConfig['model']
  readonly features: ReadonlySet<string>
  has(feature: string): boolean
  /** Makes a vCPU of this model: what it answers to CPUID, which CR4 bits it has, how SYSCALL behaves. */
  apply(cpu: Cpu): void
}

/** `offered`: features that the engine's opcode tables can serve (all by default). */
export function cpuModel(config: CpuModelConfig): CpuModel {
  const features = new Set(MODELS[config.model])
  for (const { name, on } of config.features) {
    const feature = normal(name)
    if (!(feature in FEATURE_BITS)) continue
    if (on) features.add(feature)
    else features.delete(feature)
  }
  const has = (feature: string): boolean => features.has(normal(feature))
  const model: CpuModel = {
    vendor: config.vendor,
    model: config.model,
    features,
    has,
    apply: (cpu) => {
      cpu.model = model
      cpu.intel = config.vendor === 'GenuineIntel'
      cpu.allowedCr4 = Object.entries(CR4_BITS).reduce(
        (bits, [name, bit]) => (has(name) ? bits : bits & ~bit),
        0x370efcn,
      )
    },
  }
  return model
}
