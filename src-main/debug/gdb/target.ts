/** The registers that gdb sees, in its order: one table for target.xml and for the packets g, G, p and P. */

export interface GdbRegister {
  /** What gdb calls it. */
  readonly name: string
  readonly bits: 32 | 64 | 80 | 128
  readonly type: string
  /** What contract/debug.ts calls it, and which bits of that from `shift` on. */
  readonly source: string
  readonly shift: number
}
interface Feature {
  readonly name: string
  readonly registers: readonly GdbRegister[]
  /** Types and groups that the registers' types name. */
  readonly types: string
}

const register = (
  name: string,
  bits: GdbRegister['bits'],
  type = `int${bits}`,
  source = name,
  shift = 0,
): GdbRegister => ({
  name,
  bits,
  type,
  source,
  shift,
})

/** gdb's order is not that of the encoding. */
const GENERAL = ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp']
const EXTENDED = ['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15']
const pointer = new Set(['rbp', 'rsp'])

const EFLAGS = [
  'CF:0',
  'PF:2',
  'AF:4',
  'ZF:6',
  'SF:7',
  'TF:8',
  'IF:9',
  'DF:10',
  'OF:11',
  'NT:14',
  'RF:16',
  'VM:17',
  'AC:18',
  'VIF:19',
  'VIP:20',
  'ID:21',
]
const MXCSR = [
  'IE:0',
  'DE:1',
  'ZE:2',
  'OE:3',
  'UE:4',
  'PE:5',
  'DAZ:6',
  'IM:7',
  'DM:8',
  'ZM:9',
  'OM:10',
  'UM:11',
  'PM:12',
  'FZ:15',
]
function flags(id: string, fields: readonly string[]): string {
  const rows = fields.map((field) => {
    const [name = '', bit = ''] = field.split(':')
    return `<field name="${name}" start="${bit}" end="${bit}"/>`
  })
  return `<flags id="${id}" size="4">${rows.join('')}</flags>`
}
const VECTOR = [
  ['v4f', 'ieee_single', 4],
  ['v2d', 'ieee_double', 2],
  ['v16i8', 'int8', 16],
  ['v8i16', 'int16', 8],
  ['v4i32', 'int32', 4],
  ['v2i64', 'int64', 2],
] as const
const vectorTypes = [
  ...VECTOR.map(([id, type, count]) => `<vector id="${id}" type="${type}" count="${count}"/>`),
  '<union id="vec128">',
  ...[
    ['v4_float', 'v4f'],
    ['v2_double', 'v2d'],
    ['v16_int8', 'v16i8'],
    ['v8_int16', 'v8i16'],
    ['v4_int32', 'v4i32'],
    ['v2_int64', 'v2i64'],
    ['uint128', 'uint128'],
  ].map(([name, type]) => `<field name="${name}" type="${type}"/>`),
  '</union>',
].join('')

const eight = [0, 1, 2, 3, 4, 5, 6, 7]
const FEATURES: readonly Feature[] = [
  {
    name: 'org.gnu.gdb.i386.core',
    types: flags('i386_eflags', EFLAGS),
    registers: [
      ...GENERAL.map((name) => register(name, 64, pointer.has(name) ? 'data_ptr' : 'int64')),
      ...EXTENDED.map((name) => register(name, 64)),
      register('rip', 64, 'code_ptr'),
      register('eflags', 32, 'i386_eflags', 'rflags'),
      ...['cs', 'ss', 'ds', 'es', 'fs', 'gs'].map((name) => register(name, 32)),
      ...eight.map((n) => register(`st${n}`, 80, 'i387_ext')),
      register('fctrl', 32, 'int', 'fcw'),
      register('fstat', 32, 'int', 'fsw'),
      register('ftag', 32, 'int', 'ftw'),
      register('fiseg', 32, 'int', 'fcs'),
      register('fioff', 32, 'int', 'fip'),
      register('foseg', 32, 'int', 'fds'),
      register('fooff', 32, 'int', 'fdp'),
      register('fop', 32, 'int', 'fop'),
    ],
  },
  {
    name: 'org.gnu.gdb.i386.sse',
    types: vectorTypes + flags('i386_mxcsr', MXCSR),
    registers: [
      ...Array.from({ length: 16 }, (_, n) => register(`xmm${n}`, 128, 'vec128')),
      register('mxcsr', 32, 'i386_mxcsr'),
    ],
  },
  {
    name: 'org.gnu.gdb.i386.segments',
    types: '',
    registers: [register('fs_base', 64, 'int'), register('gs_base', 64, 'int')],
  },
  {
    name: 'org.longmode.system',
    types: '',
    registers: ['k_gs_base', 'cr0', 'cr2', 'cr3', 'cr4', 'efer'].map((name) => register(name, 64, 'int')),
  },
]

export const GDB_REGISTERS: readonly GdbRegister[] = FEATURES.flatMap(({ registers }) => registers)

function featureXml({ name, types, registers }: Feature): string {
  const rows = registers.map(({ name: register, bits, type }) => {
    return `<reg name="${register}" bitsize="${bits}" type="${type}"/>`
  })
  return `<feature name="${name}">${types}${rows.join('\n')}</feature>`
}

/** The target description (GDB manual, appendix G). */
export const TARGET_XML = [
  '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd">',
  '<target version="1.0"><architecture>i386:x86-64</architecture>',
  ...FEATURES.map(featureXml),
  '</target>',
].join('\n')
