// Integer instructions of the one-byte and 0F maps.
import type { Family, Row, RowOptions } from '../form.ts'
import * as hook from './hooks.ts'

const ALU = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp']
const CONDITIONS = ['o', 'no', 'b', 'ae', 'z', 'nz', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g']
const hex = (value: number): string => value.toString(16).padStart(2, '0')

function aluRows(): Row[] {
  return ALU.flatMap((name, n): Row[] => {
    // Logic leaves AF undefined.
    const options: RowOptions = { undef: ['or', 'and', 'xor'].includes(name) ? 'a' : '', lock: name !== 'cmp' }
    const base = 8 * n
    const noLock = { ...options, lock: false }
    return [
      [`${name} Eb,Gb`, hex(base), options],
      [`${name} Ev,Gv`, hex(base + 1), options],
      [`${name} Gb,Eb`, hex(base + 2), noLock],
      [`${name} Gv,Ev`, hex(base + 3), noLock],
      [`${name} AL,Ib`, hex(base + 4), noLock],
      [`${name} rAX,Iz`, hex(base + 5), noLock],
      [`${name} Eb,Ib`, `80 /${n}`, options],
      [`${name} Ev,Iz`, `81 /${n}`, options],
      [`${name} Ev,Ib`, `83 /${n}`, options],
    ]
  })
}

function shiftRows(): Row[] {
  const names = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sal', 'sar']
  return names.flatMap((name, n): Row[] => {
    const mask = n < 4 ? hook.rotateFlags : hook.shiftFlags
    const byRegister: RowOptions = { mask, prepare: hook.smallShiftCount, reserve: [hook.RCX] }
    return [
      [`${name} Eb,Ib`, `c0 /${n}`, { mask }],
      [`${name} Ev,Ib`, `c1 /${n}`, { mask }],
      [`${name} Eb,1`, `d0 /${n}`, { mask, tag: 'by 1' }],
      [`${name} Ev,1`, `d1 /${n}`, { mask, tag: 'by 1' }],
      [`${name} Eb,CL`, `d2 /${n}`, byRegister],
      [`${name} Ev,CL`, `d3 /${n}`, byRegister],
    ]
  })
}

const DOUBLE_SHIFT_IMMEDIATE: RowOptions = { mask: hook.doubleShiftFlags, immediate: hook.doubleShiftImmediate }
const DOUBLE_SHIFT_REGISTER: RowOptions = {
  mask: hook.doubleShiftFlags,
  prepare: hook.smallShiftCount,
  reserve: [hook.RCX],
  reserveOperand: true,
}

/** SHLD and SHRD count in CL while CL's register may be an operand, too: the count is what `prepare` left there. */
const doubleShifts: Row[] = [
  ['shld Ev,Gv,Ib', '0f a4', DOUBLE_SHIFT_IMMEDIATE],
  ['shld Ev,Gv,CL', '0f a5', DOUBLE_SHIFT_REGISTER],
  ['shrd Ev,Gv,Ib', '0f ac', DOUBLE_SHIFT_IMMEDIATE],
  ['shrd Ev,Gv,CL', '0f ad', DOUBLE_SHIFT_REGISTER],
]

const DIVIDE: RowOptions = { undef: 'oszapc', prepare: hook.prepareDivide, reserve: [hook.RAX, hook.RDX] }
const MULTIPLY: RowOptions = { undef: 'szap' }

const unary: Row[] = [
  ['test Eb,Gb', '84', { undef: 'a' }],
  ['test Ev,Gv', '85', { undef: 'a' }],
  ['test AL,Ib', 'a8', { undef: 'a' }],
  ['test rAX,Iz', 'a9', { undef: 'a' }],
  ['test Eb,Ib', 'f6 /0', { undef: 'a' }],
  ['test Ev,Iz', 'f7 /0', { undef: 'a' }],
  ['test-alias Eb,Ib', 'f6 /1', { undef: 'a' }],
  ['test-alias Ev,Iz', 'f7 /1', { undef: 'a' }],
  ['not Eb', 'f6 /2', { lock: true }],
  ['not Ev', 'f7 /2', { lock: true }],
  ['neg Eb', 'f6 /3', { lock: true }],
  ['neg Ev', 'f7 /3', { lock: true }],
  ['mul Eb', 'f6 /4', MULTIPLY],
  ['mul Ev', 'f7 /4', MULTIPLY],
  ['imul Eb', 'f6 /5', MULTIPLY],
  ['imul Ev', 'f7 /5', MULTIPLY],
  ['imul Gv,Ev', '0f af', MULTIPLY],
  ['imul Gv,Ev,Iz', '69', MULTIPLY],
  ['imul Gv,Ev,Ib', '6b', MULTIPLY],
  ['div Eb', 'f6 /6', DIVIDE],
  ['div Ev', 'f7 /6', DIVIDE],
  ['idiv Eb', 'f6 /7', DIVIDE],
  ['idiv Ev', 'f7 /7', DIVIDE],
  ['inc Eb', 'fe /0', { lock: true }],
  ['inc Ev', 'ff /0', { lock: true }],
  ['dec Eb', 'fe /1', { lock: true }],
  ['dec Ev', 'ff /1', { lock: true }],
]

const SIZED: RowOptions = { sizes: [16, 32, 64] }

const moves: Row[] = [
  ['mov Eb,Gb', '88'],
  ['mov Ev,Gv', '89'],
  ['mov Gb,Eb', '8a'],
  ['mov Gv,Ev', '8b'],
  ['mov Eb,Ib', 'c6 /0'],
  ['mov Ev,Iz', 'c7 /0'],
  ['mov Zb,Ib', 'b0'],
  ['mov Zv,Iv', 'b8'],
  ['mov AL,Ob', 'a0'],
  ['mov rAX,Ov', 'a1'],
  ['mov Ob,AL', 'a2'],
  ['mov Ov,rAX', 'a3'],
  ['movzx Gv,Eb', '0f b6'],
  ['movzx Gv,Ew', '0f b7'],
  ['movsx Gv,Eb', '0f be'],
  ['movsx Gv,Ew', '0f bf'],
  ['movsxd Gv,Ed', '63', { modes: 'long64', sizes: [32, 64] }],
  ['lea Gv,M0', '8d'],
  ['movnti My,Gy', '0f c3'],
  ['xchg Eb,Gb', '86', { lock: true }],
  ['xchg Ev,Gv', '87', { lock: true }],
  ['xchg Zv,rAX', '90'],
  ['xadd Eb,Gb', '0f c0', { lock: true }],
  ['xadd Ev,Gv', '0f c1', { lock: true }],
  ['cmpxchg Eb,Gb', '0f b0', { lock: true, prepare: hook.prepareCompareExchange, reserve: [hook.RAX] }],
  ['cmpxchg Ev,Gv', '0f b1', { lock: true, prepare: hook.prepareCompareExchange, reserve: [hook.RAX] }],
  ['cmpxchg8b M8', '0f c7 /1', { lock: true, prepare: hook.prepareCompareExchangePair, reserve: [0, 1, 2, 3] }],
  ['bswap Zy', '0f c8'],
  ['cbw', '98', SIZED],
  ['cwd', '99', SIZED],
  ['lahf', '9f'],
  ['sahf', '9e'],
  ['cmc', 'f5'],
  ['clc', 'f8'],
  ['stc', 'f9'],
  ['cld', 'fc'],
  ['std', 'fd'],
  ['xlat', 'd7', { prepare: hook.prepareTable }],
]

const conditional: Row[] = CONDITIONS.flatMap((name, n): Row[] => [
  [`cmov${name} Gv,Ev`, `0f ${hex(0x40 + n)}`],
  [`set${name} Eb`, `0f ${hex(0x90 + n)} /0`],
  [`j${name} Jb`, hex(0x70 + n)],
  [`j${name} Jd`, `0f ${hex(0x80 + n)}`],
])

const BIT_TEST: RowOptions = { undef: 'osap' }

function bitRows(): Row[] {
  return ['bt', 'bts', 'btr', 'btc'].flatMap((name, n): Row[] => {
    const options: RowOptions = { ...BIT_TEST, lock: n > 0 }
    const byRegister: RowOptions = { ...options, prepare: hook.prepareBitOffset, reserveOperand: true }
    return [
      [`${name} Ev,Gv`, `0f ${hex(0xa3 + 8 * n)}`, byRegister],
      [`${name} Ev,Ib`, `0f ba /${4 + n}`, options],
    ]
  })
}

const SCAN: RowOptions = { undef: 'osapc', mask: hook.bitScanResult, prepare: hook.prepareZeroSource }

const scans: Row[] = [
  ['bsf Gv,Ev', '0f bc', SCAN],
  ['bsr Gv,Ev', '0f bd', SCAN],
]

const STACK: RowOptions = { d64: true, prepare: hook.prepareStack, reserve: [hook.RSP] }
const INDIRECT: RowOptions = { d64: true, sizes: [64], prepare: hook.prepareIndirect, reserve: [hook.RSP] }
const ON_STACK: RowOptions = { d64: true, only: 'mem', onStack: true, reserve: [hook.RSP], tag: 'by RSP' }

const stack: Row[] = [
  ['push Zv', '50', STACK],
  ['push Ev', 'ff /6', STACK],
  ['push Iz', '68', STACK],
  ['push Ib', '6a', { ...STACK, sizes: [16, 64] }],
  ['pop Zv', '58', STACK],
  ['pop Ev', '8f /0', STACK],
  ['push Ev', 'ff /6', ON_STACK],
  ['pop Ev', '8f /0', ON_STACK],
  ['pushf', '9c', { ...STACK, sizes: [16, 64] }],
  ['popf', '9d', { ...STACK, sizes: [16, 64], prepare: hook.preparePopFlags }],
  ['enter Iw,Ib', 'c8', { d64: true, sizes: [16, 64], prepare: hook.prepareEnter, immediate: hook.enterImmediate }],
  ['leave', 'c9', { d64: true, sizes: [16, 64], prepare: hook.prepareLeave }],
  ['call Jd', 'e8', { prepare: hook.prepareStack }],
  ['jmp Jb', 'eb'],
  ['jmp Jd', 'e9'],
  ['call Ev', 'ff /2', INDIRECT],
  ['jmp Ev', 'ff /4', INDIRECT],
  ['call Ev', 'ff /2', { ...ON_STACK, sizes: [64], prepare: hook.prepareTarget }],
  ['ret', 'c3', { prepare: hook.prepareReturn }],
  ['ret Iw', 'c2', { prepare: hook.prepareReturn }],
  ['loopne Jb', 'e0', { prepare: hook.prepareLoopCount }],
  ['loope Jb', 'e1', { prepare: hook.prepareLoopCount }],
  ['loop Jb', 'e2', { prepare: hook.prepareLoopCount }],
  ['jrcxz Jb', 'e3', { prepare: hook.prepareLoopCount }],
  ['loopne Jb', '67 e0', { prepare: hook.prepareLoopCount, tag: 'a32' }],
  ['loope Jb', '67 e1', { prepare: hook.prepareLoopCount, tag: 'a32' }],
  ['loop Jb', '67 e2', { prepare: hook.prepareLoopCount, tag: 'a32' }],
  ['jrcxz Jb', '67 e3', { prepare: hook.prepareLoopCount, tag: 'a32' }],
]

const nothing: Row[] = [
  ['nop', '90', { sizes: [16, 32] }],
  ['pause', 'f3 90'],
  ['nop Ev', '0f 1f /0', {}],
  ['endbr64', 'f3 0f 1e fa'],
  ['lfence', '0f ae e8'],
  ['mfence', '0f ae f0'],
  ['sfence', '0f ae f8'],
  ['clflush Mb', '0f ae /7'],
  ['prefetchnta M0', '0f 18 /0'],
  ['prefetcht0 M0', '0f 18 /1'],
]

export const integer: readonly Family[] = [
  { name: 'alu', rows: aluRows() },
  { name: 'shift', rows: [...shiftRows(), ...doubleShifts] },
  { name: 'multiply', rows: unary },
  { name: 'move', rows: moves },
  { name: 'condition', rows: conditional },
  { name: 'bit', rows: [...bitRows(), ...scans] },
  { name: 'stack', rows: stack },
  { name: 'nothing', rows: nothing },
  {
    name: 'cmpxchg16b',
    feature: 'cx16',
    rows: [
      [
        'cmpxchg16b M16',
        '0f c7 /1',
        { sizes: [64], align: 16, lock: true, prepare: hook.prepareCompareExchangePair, reserve: [0, 1, 2, 3] },
      ],
    ],
  },
]
