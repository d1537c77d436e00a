/** CPUID feature names in QEMU's spelling, as `-cpu MODEL,+name` takes them. Which of them a model has is the CPU's affair. */
export const cpuFeatureNames: readonly string[] = [
  // Leaf 1 EDX
  ...['fpu', 'vme', 'de', 'pse', 'tsc', 'msr', 'pae', 'mce', 'cx8', 'apic', 'sep', 'mtrr', 'pge', 'mca', 'cmov', 'pat'],
  ...['pse36', 'pn', 'clflush', 'ds', 'acpi', 'mmx', 'fxsr', 'sse', 'sse2', 'ss', 'ht', 'tm', 'ia64', 'pbe'],
  // Leaf 1 ECX
  ...[
    'pni',
    'sse3',
    'pclmulqdq',
    'dtes64',
    'monitor',
    'ds-cpl',
    'vmx',
    'smx',
    'est',
    'tm2',
    'ssse3',
    'cid',
    'fma',
    'cx16',
  ],
  ...['xtpr', 'pdcm', 'pcid', 'dca', 'sse4.1', 'sse4.2', 'x2apic', 'movbe', 'popcnt', 'tsc-deadline', 'aes', 'xsave'],
  ...['avx', 'f16c', 'rdrand', 'hypervisor'],
  // Leaf 7
  ...[
    'fsgsbase',
    'tsc-adjust',
    'sgx',
    'bmi1',
    'hle',
    'avx2',
    'smep',
    'bmi2',
    'erms',
    'invpcid',
    'rtm',
    'mpx',
    'rdseed',
    'adx',
  ],
  ...[
    'smap',
    'clflushopt',
    'clwb',
    'sha-ni',
    'umip',
    'pku',
    'vaes',
    'vpclmulqdq',
    'la57',
    'rdpid',
    'gfni',
    'fsrm',
    'serialize',
  ],
  ...['md-clear', 'spec-ctrl', 'stibp', 'arch-capabilities', 'ssbd'],
  // Leaf 0xd, subleaf 1
  ...['xsaveopt', 'xsavec', 'xgetbv1', 'xsaves'],
  // Leaf 0x80000001 and 0x80000007
  ...[
    'syscall',
    'nx',
    'mmxext',
    'fxsr-opt',
    'pdpe1gb',
    'rdtscp',
    'lm',
    '3dnow',
    '3dnowext',
    'lahf-lm',
    'cmp-legacy',
    'svm',
  ],
  ...[
    'extapic',
    'cr8legacy',
    'abm',
    'lzcnt',
    'sse4a',
    'misalignsse',
    '3dnowprefetch',
    'osvw',
    'xop',
    'fma4',
    'tbm',
    'invtsc',
  ],
]

/** QEMU takes both spellings of the names that it once wrote with an underscore. */
export function canonicalFeature(name: string): string {
  const dashed = name.toLowerCase().replaceAll('_', '-')
  const older: Readonly<Record<string, string>> = {
    'sse4-1': 'sse4.1',
    'sse4-2': 'sse4.2',
    pclmuldq: 'pclmulqdq',
    pni: 'sse3',
    abm: 'lzcnt',
  }
  return Object.hasOwn(older, dashed) ? older[dashed] : dashed
}
