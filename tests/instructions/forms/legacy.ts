// Instructions of 32-bit code that 64-bit mode dropped, far control transfers, segment registers, and what faults by rule.
import { littleEndian } from '../address.ts'
import type { GeneratedCase } from '../generate.ts'
import type { Family, Mask, Prepare, Row, RowOptions } from '../form.ts'
import { CODE_BASE, ENTRY, STATE, USER32_CS, USER64_CS, USER_DS } from '../layout.ts'
import * as hook from './hooks.ts'

const COMPAT: RowOptions = { modes: 'compat32' }
const COMPAT_SIZED: RowOptions = { ...COMPAT, sizes: [16, 32] }
const COMPAT_STACK: RowOptions = { ...COMPAT_SIZED, prepare: hook.prepareStack, reserve: [hook.RSP] }

/** Ten most of the time, zero (#DE) now and then. */
const base = (c: GeneratedCase): number => (c.random.oneIn(2) ? 10 : c.random.oneIn(8) ? 0 : c.random.below(256))

/** Valid decimal digits more often than noise gives them. */
const prepareDigits: Prepare = (c) => {
  if (c.random.oneIn(2))
    c.setGpr(hook.RAX, (c.gpr(hook.RAX) & ~0xffn) | BigInt(c.random.below(10) | (c.random.below(10) << 4)))
}

/** Whether ARPL faults as a read or as a write is not defined. */
const writeBitOfFault: Mask = (after) => {
  after.setUint32(STATE.error, after.getUint32(STATE.error, true) & ~2, true)
}

/** A pair of bounds around the index, which lies inside two times out of three. */
const prepareBounds: Prepare = (c) => {
  if (!c.inWindow() || c.random.oneIn(3)) return
  const bytes = c.form.memBytes / 2
  const index = BigInt.asIntN(8 * bytes, c.gpr(c.regNumber))
  const low = index - BigInt(c.random.below(3))
  const high = index + BigInt(c.random.below(3))
  c.write(c.address, [...littleEndian(low, bytes), ...littleEndian(high, bytes)])
}

/** LDS, LES: a selector that leaves the segment as it is. */
const prepareFarPointer: Prepare = (c) => {
  if (c.inWindow()) c.write(c.address + BigInt(c.form.memBytes - 2), littleEndian(USER_DS, 2))
}

const decimal: Row[] = [
  ['daa', '27', { ...COMPAT, undef: 'o', prepare: prepareDigits }],
  ['das', '2f', { ...COMPAT, undef: 'o', prepare: prepareDigits }],
  ['aaa', '37', { ...COMPAT, undef: 'oszp', prepare: prepareDigits }],
  ['aas', '3f', { ...COMPAT, undef: 'oszp', prepare: prepareDigits }],
  ['aam Ib', 'd4', { ...COMPAT, undef: 'oac', immediate: base }],
  ['aad Ib', 'd5', { ...COMPAT, undef: 'oac', immediate: base }],
]

const ALU = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp']

const legacy: Row[] = [
  ...decimal,
  ['inc Zv', '40', COMPAT_SIZED],
  ['dec Zv', '48', COMPAT_SIZED],
  ['pusha', '60', COMPAT_STACK],
  ['popa', '61', COMPAT_STACK],
  ['bound Gv,M8', '62', { ...COMPAT, sizes: [32], prepare: prepareBounds, reserveOperand: true }],
  ['bound Gv,M4', '62', { ...COMPAT, sizes: [16], prepare: prepareBounds, reserveOperand: true }],
  ['arpl Ew,Gw', '63', { ...COMPAT, mask: writeBitOfFault }],
  ['les Gv,M6', 'c4', { ...COMPAT, sizes: [32], prepare: prepareFarPointer }],
  ['les Gv,M4', 'c4', { ...COMPAT, sizes: [16], prepare: prepareFarPointer }],
  ['lds Gv,M6', 'c5', { ...COMPAT, sizes: [32], prepare: prepareFarPointer }],
  ['lds Gv,M4', 'c5', { ...COMPAT, sizes: [16], prepare: prepareFarPointer }],
  ['into', 'ce', COMPAT],
  ['salc', 'd6', COMPAT],
  ['push ES', '06', COMPAT_STACK],
  ['push CS', '0e', COMPAT_STACK],
  ['push SS', '16', COMPAT_STACK],
  ['push DS', '1e', COMPAT_STACK],
  ...ALU.map((name, n): Row => [
    `${name} Eb,Ib`,
    `82 /${n}`,
    { ...COMPAT, tag: '82', undef: ['or', 'and', 'xor'].includes(name) ? 'a' : '' },
  ]),
]

const SEGMENTS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS']

const segments: Row[] = [
  ...SEGMENTS.flatMap((name, n): Row[] => [
    [`mov Ev,${name}`, `8c /${n}`, { sizes: [16, 32, 64], only: 'reg' }],
    [`mov Mw,${name}`, `8c /${n}`],
  ]),
  ['push FS', '0f a0', { d64: true, sizes: [16, 64], prepare: hook.prepareStack }],
  ['push GS', '0f a8', { d64: true, sizes: [16, 64], prepare: hook.prepareStack }],
  ['mov DS,Ew', '8e /3', { prepare: (c) => { c.setRm(BigInt(USER_DS), 2) } }],
  ['mov ES,Ew', '8e /0', { prepare: (c) => { c.setRm(BigInt(USER_DS), 2) } }],
] // prettier-ignore

const KERNEL_CS = 0x10

/** Both user code segments, and three that a far transfer must refuse. */
function farSelector(c: GeneratedCase): number {
  if (!c.random.oneIn(8)) return c.random.pick([USER32_CS, USER64_CS])
  return c.random.pick([0, USER_DS, KERNEL_CS])
}

/** Before the instruction: its length is not known while the immediate is chosen. */
const farOffset = (c: GeneratedCase): number => c.slot + c.random.below(ENTRY)

const farImmediate = (c: GeneratedCase): number => farSelector(c) * 2 ** 32 + farOffset(c)

const prepareFarMemory: Prepare = (c) => {
  hook.prepareStack(c)
  if (!c.inWindow()) return
  const offset = c.form.memBytes - 2
  c.write(c.address, [...littleEndian(farOffset(c), offset), ...littleEndian(farSelector(c), 2)])
}

function prepareFrame(words: (c: GeneratedCase) => number[]): Prepare {
  return (c) => {
    hook.prepareStack(c)
    const bytes = c.form.size / 8
    c.write(
      c.gpr(hook.RSP),
      words(c).flatMap((word) => littleEndian(word, bytes)),
    )
  }
}

const prepareFarReturn = prepareFrame((c) => [farOffset(c), farSelector(c)])
/** No TF; RSP anywhere; the stack segment is the one there is. */
const prepareInterruptReturn = prepareFrame((c) => [
  farOffset(c),
  farSelector(c),
  c.random.u32() & 0x3fffff & ~0x24100,
  CODE_BASE + c.random.below(0x1000),
  USER_DS,
])

const FAR: RowOptions = { reserve: [hook.RSP], prepare: prepareFarMemory }

const far: Row[] = [
  ['jmp I6', 'ea', { ...COMPAT, immediate: farImmediate }],
  ['call I6', '9a', { ...COMPAT, immediate: farImmediate, prepare: hook.prepareStack }],
  ['jmp M6', 'ff /5', { ...FAR, sizes: [32] }],
  ['call M6', 'ff /3', { ...FAR, sizes: [32] }],
  ['retf', 'cb', { sizes: [32, 64], prepare: prepareFarReturn }],
  // A return to an outer level reads the stack behind the released bytes before or after the selector's checks: keep it mapped.
  ['retf Iw', 'ca', { sizes: [32, 64], prepare: prepareFarReturn, immediate: (c) => c.random.below(64) }],
  ['iret', 'cf', { sizes: [32, 64], prepare: prepareInterruptReturn }],
]

/** Control and debug registers: ModRM.reg names the register, ModRM.rm is always a general register. */
const controlRegisters: Row[] = [0, 2, 3, 4].flatMap((n): Row[] => [
  [`mov Ry,CR${String(n)}`, `0f 20 /${String(n)}`, { sizes: [0] }],
  [`mov CR${String(n)},Ry`, `0f 22 /${String(n)}`, { sizes: [0] }],
])

const privileged: Row[] = [
  ['hlt', 'f4'],
  ['cli', 'fa'],
  ['sti', 'fb'],
  ['in AL,Ib', 'e4'],
  ['in eAX,Ib', 'e5'],
  ['in AL,DX', 'ec'],
  ['in eAX,DX', 'ed'],
  ['out Ib,AL', 'e6'],
  ['out Ib,eAX', 'e7'],
  ['out DX,AL', 'ee'],
  ['out DX,eAX', 'ef'],
  ['insb', '6c'],
  ['insd', '6d'],
  ['outsb', '6e'],
  ['outsd', '6f'],
  ['clts', '0f 06'],
  ['invd', '0f 08'],
  ['wbinvd', '0f 09'],
  ['rdmsr', '0f 32'],
  ['wrmsr', '0f 30'],
  ['lgdt M10', '0f 01 /2'],
  ['lidt M10', '0f 01 /3'],
  ['lmsw Ew', '0f 01 /6', { only: 'reg' }],
  ['invlpg Mb', '0f 01 /7'],
  ['lldt Ew', '0f 00 /2', { only: 'reg' }],
  ['ltr Ew', '0f 00 /3', { only: 'reg' }],
  ['swapgs', '0f 01 f8', { modes: 'long64' }],
  ...controlRegisters,
]

const LONG: RowOptions = { modes: 'long64' }

const invalid: Row[] = [
  ['ud2', '0f 0b'],
  ['ud1 Gd,Ed', '0f b9'],
  ...[
    '06',
    '07',
    '0e',
    '16',
    '17',
    '1e',
    '1f',
    '27',
    '2f',
    '37',
    '3f',
    '60',
    '61',
    '9a',
    'ce',
    'd4',
    'd5',
    'd6',
    'ea',
  ].map((opcode): Row => [`opcode-${opcode}`, opcode, LONG]),
  ['lock-add Ed,Gd', 'f0 01', { only: 'reg' }],
  ['lock-mov Ed,Gd', 'f0 89'],
  ['lock-add Gd,Ed', 'f0 03'],
  ['lea Gd,Rd', '8d'],
  ['mov CS,Ew', '8e /1'],
  ['mov sreg6,Ew', '8e /6'],
  ['mov sreg7,Ew', '8e /7'],
  ...[2, 3, 4, 5, 6, 7].map((n): Row => [`group4-${String(n)} Eb`, `fe /${String(n)}`]),
  ['group5-7 Ev', 'ff /7', { sizes: [32] }],
  ['cmpxchg8b Rd', '0f c7 /1'],
  ['callf Rd', 'ff /3'],
  ['jmpf Rd', 'ff /5'],
  ...['04', '0a', '0c', '24', '25', '26', '27', '36', '39', '3b', '3c', '3d', '3e', '3f'].map((opcode): Row => [
    `opcode-0f${opcode}`,
    `0f ${opcode}`,
  ]),
]

export const legacyForms: readonly Family[] = [
  { name: 'legacy', rows: legacy },
  { name: 'segment', rows: segments },
  { name: 'far', rows: far },
  { name: 'privileged', rows: privileged },
  { name: 'invalid', rows: invalid },
]
