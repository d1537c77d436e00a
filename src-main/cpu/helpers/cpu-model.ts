/**
 * What CPUID says: one table of features with their bits, and the models made of it. A feature that is not in the table is not
 * implemented and cannot be switched on.
 */
export type Register = 'eax' | 'ebx' | 'ecx' | 'edx'
export type Vendor = 'AuthenticAMD' | 'GenuineIntel'

export interface Feature {
  readonly name: string
  readonly leaf: number
  readonly register: Register
  readonly bit: number
  /** Spellings on QEMU's command line that differ from the name by more than - and . for _. */
  readonly aliases: readonly string[]
}

/** leaf register bit=name(/alias)... */
const FEATURE_TEXT = `
1 edx 0=fpu 2=de 3=pse 4=tsc 5=msr 6=pae 7=mce 8=cx8 9=apic 11=sep 12=mtrr 13=pge 14=mca 15=cmov 16=pat 17=pse36 19=clflush
1 edx 23=mmx 24=fxsr 25=sse 26=sse2
1 ecx 0=sse3/pni 1=pclmulqdq 9=ssse3 13=cx16 17=pcid 19=sse4_1 20=sse4_2 21=x2apic 22=movbe 23=popcnt 24=tsc_deadline 25=aes
1 ecx 26=xsave 30=rdrand 31=hypervisor
6 eax 2=arat
7 ebx 0=fsgsbase 1=tsc_adjust 3=bmi1 7=smep 8=bmi2 9=erms 10=invpcid 18=rdseed 19=adx 20=smap 23=clflushopt 24=clwb 29=sha/sha_ni
7 ecx 2=umip 22=rdpid
7 edx 4=fsrm
13 eax 0=xsaveopt
0x80000001 edx 11=syscall 20=nx 26=pdpe1gb 27=rdtscp 29=lm
0x80000001 ecx 0=lahf_lm 5=abm/lzcnt 8=3dnowprefetch
0x80000007 edx 8=invtsc
`
export const FEATURES: readonly Feature[] = FEATURE_TEXT.trim()
  .split('\n')
  .flatMap((line) => {
    const [leaf, register, ...entries] = line.split(' ')
    return entries.map((entry) => {
      const [bit, names] = entry.split('=')
      const [name, ...aliases] = names!.split('/')
      return { name: name!, leaf: Number(leaf), register: register as Register, bit: Number(bit), aliases }
    })
  })
const FEATURE_NAMES: ReadonlySet<string> = new Set(FEATURES.map((f) => f.name))

/** The table's name of a feature as QEMU's command line spells it; undefined when it is not implemented. */
export function featureName(spelling: string): string | undefined {
  const name = spelling.toLowerCase().replace(/[-.]/g, '_')
  if (FEATURE_NAMES.has(name)) return name
  return FEATURES.find((f) => f.aliases.includes(name))?.name
}

export interface CpuModel {
  readonly vendor: Vendor
  readonly features: ReadonlySet<string>
  /** Leaf 1 EAX: family, model, stepping. */
  readonly signature: number
  readonly brand: string
  /** Largest basic leaf. */
  readonly level: number
  /** TSC ticks a second, where CPUID tells it. */
  readonly tscHz: number | undefined
  has(feature: string): boolean
}

interface ModelText {
  readonly signature: number
  readonly brand: string
  readonly features: readonly string[]
}
const BASE = 'fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2'
/** QEMU's models with what of them is implemented here: SVM of qemu64 is not. */
const MODELS: Readonly<Record<string, ModelText>> = {
  qemu64: {
    signature: 0x60fb1, // family 15, model 107, stepping 1
    brand: 'Longmode Virtual CPU (qemu64)',
    features: `${BASE} sse3 cx16 hypervisor arat syscall nx lm lahf_lm`.split(' '),
  },
  max: {
    signature: 0x00663, // family 6, model 6, stepping 3
    brand: 'Longmode Virtual CPU (max)',
    features: FEATURES.map((f) => f.name),
  },
}
export const CPU_MODELS: readonly string[] = Object.keys(MODELS)

export interface ModelChoice {
  /** qemu64, max, or host, which is max. */
  readonly model: string
  readonly vendor: Vendor
  /** Switched on or off against the model, in QEMU's spelling; later entries win. */
  readonly features: readonly { readonly name: string; readonly on: boolean }[]
  readonly tscHz?: number
}

/** What a feature cannot be without. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  xsaveopt: ['xsave'],
  sse2: ['sse'],
  sse3: ['sse2'],
  ssse3: ['sse3'],
  sse4_1: ['ssse3'],
  sse4_2: ['sse4_1'],
  aes: ['sse2'],
  pclmulqdq: ['sse2'],
  sha: ['ssse3'],
  tsc_deadline: ['apic'],
  x2apic: ['apic'],
  rdtscp: ['tsc'],
}

/**
 * The model of a command line. Names that are not implemented and are switched on come back in `unavailable`; the machine goes on
 * without them, as QEMU does.
 */
export function cpuModel(choice: ModelChoice): { model: CpuModel; unavailable: string[] } {
  const text = MODELS[choice.model === 'host' ? 'max' : choice.model]
  if (!text) throw new Error(`no CPU model ${choice.model}`)
  const features = new Set(text.features)
  const unavailable: string[] = []
  for (const { name, on } of choice.features) {
    const known = featureName(name)
    if (!known) {
      if (on) unavailable.push(name)
    } else if (on) features.add(known)
    else features.delete(known)
  }
  for (let before = -1; before !== features.size;) {
    before = features.size
    for (const [name, needs] of Object.entries(NEEDS)) if (!needs.every((n) => features.has(n))) features.delete(name)
  }
  const { tscHz } = choice
  const tellsTsc = tscHz !== undefined && choice.vendor === 'GenuineIntel' && features.has('invtsc')
  const model: CpuModel = {
    vendor: choice.vendor,
    features,
    signature: text.signature,
    brand: text.brand,
    level: tellsTsc ? 0x16 : 0xd,
    tscHz,
    has: (feature) => features.has(feature),
  }
  return { model, unavailable }
}

export const MAX_MODEL: CpuModel = cpuModel({ model: 'max', vendor: 'AuthenticAMD', features: [] }).model
