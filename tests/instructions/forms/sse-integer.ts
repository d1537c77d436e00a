// Integer vector instructions: MMX and SSE2 (one table for both), SSSE3, SSE4, and the cryptographic extensions.
import type { Family, Row, RowOptions } from '../form.ts'
import * as hook from './vector-hooks.ts'
import { F32, F64, INT } from './sse-float.ts'

const MMX: RowOptions = { state: 'mmx', data: 'int' }

/** Opcode, name: both registers files, the SSE form with 66. */
const BOTH: readonly (readonly [string, string])[] = [
  ['63', 'packsswb'], ['64', 'pcmpgtb'], ['65', 'pcmpgtw'], ['66', 'pcmpgtd'], ['67', 'packuswb'], ['68', 'punpckhbw'],
  ['69', 'punpckhwd'], ['6a', 'punpckhdq'], ['6b', 'packssdw'], ['74', 'pcmpeqb'], ['75', 'pcmpeqw'], ['76', 'pcmpeqd'],
  ['d4', 'paddq'], ['d5', 'pmullw'], ['d8', 'psubusb'], ['d9', 'psubusw'], ['da', 'pminub'], ['db', 'pand'],
  ['dc', 'paddusb'], ['dd', 'paddusw'], ['de', 'pmaxub'], ['df', 'pandn'], ['e0', 'pavgb'], ['e3', 'pavgw'],
  ['e4', 'pmulhuw'], ['e5', 'pmulhw'], ['e8', 'psubsb'], ['e9', 'psubsw'], ['ea', 'pminsw'], ['eb', 'por'],
  ['ec', 'paddsb'], ['ed', 'paddsw'], ['ee', 'pmaxsw'], ['ef', 'pxor'], ['f4', 'pmuludq'], ['f5', 'pmaddwd'],
  ['f6', 'psadbw'], ['f8', 'psubb'], ['f9', 'psubw'], ['fa', 'psubd'], ['fb', 'psubq'], ['fc', 'paddb'],
  ['fd', 'paddw'], ['fe', 'paddd'],
] // prettier-ignore

/** Low unpacks read half a register in MMX. */
const UNPACK_LOW: readonly (readonly [string, string])[] = [
  ['60', 'punpcklbw'],
  ['61', 'punpcklwd'],
  ['62', 'punpckldq'],
]

const SHIFTS: readonly (readonly [string, string])[] = [
  ['d1', 'psrlw'],
  ['d2', 'psrld'],
  ['d3', 'psrlq'],
  ['e1', 'psraw'],
  ['e2', 'psrad'],
  ['f1', 'psllw'],
  ['f2', 'pslld'],
  ['f3', 'psllq'],
]

const SHIFTS_BY_IMMEDIATE: readonly (readonly [string, string])[] = [
  ['71 /2', 'psrlw'],
  ['71 /4', 'psraw'],
  ['71 /6', 'psllw'],
  ['72 /2', 'psrld'],
  ['72 /4', 'psrad'],
  ['72 /6', 'pslld'],
  ['73 /2', 'psrlq'],
  ['73 /6', 'psllq'],
]

const SSSE3: readonly (readonly [string, string])[] = [
  ['00', 'pshufb'],
  ['01', 'phaddw'],
  ['02', 'phaddd'],
  ['03', 'phaddsw'],
  ['04', 'pmaddubsw'],
  ['05', 'phsubw'],
  ['06', 'phsubd'],
  ['07', 'phsubsw'],
  ['08', 'psignb'],
  ['09', 'psignw'],
  ['0a', 'psignd'],
  ['0b', 'pmulhrsw'],
  ['1c', 'pabsb'],
  ['1d', 'pabsw'],
  ['1e', 'pabsd'],
]

const shift = (options: RowOptions): RowOptions => ({ ...options, prepare: hook.prepareVectorShift })
const shiftImmediate = (options: RowOptions): RowOptions => ({ ...options, immediate: hook.vectorShiftImmediate })

const mmx: Row[] = [
  ...BOTH.map(([opcode, name]): Row => [`${name} Pq,Qq`, `0f ${opcode}`, MMX]),
  ...UNPACK_LOW.map(([opcode, name]): Row => [`${name} Pq,Qd`, `0f ${opcode}`, MMX]),
  ...SHIFTS.map(([opcode, name]): Row => [`${name} Pq,Qq`, `0f ${opcode}`, shift(MMX)]),
  ...SHIFTS_BY_IMMEDIATE.map(([opcode, name]): Row => [`${name} Nq,Ib`, `0f ${opcode}`, shiftImmediate(MMX)]),
  ['movd Pq,Ey', '0f 6e', MMX],
  ['movd Ey,Pq', '0f 7e', MMX],
  ['movq Pq,Qq', '0f 6f', MMX],
  ['movq Qq,Pq', '0f 7f', MMX],
  ['emms', '0f 77', { ...MMX, prepare: hook.prepareClearTop }],
  ['pshufw Pq,Qq,Ib', '0f 70', MMX],
  ['pinsrw Pq,Ew,Ib', '0f c4', MMX],
  ['pextrw Gd,Nq,Ib', '0f c5', MMX],
  ['pmovmskb Gd,Nq', '0f d7', MMX],
  ['movntq Mq,Pq', '0f e7', MMX],
  ['maskmovq Pq,Nq', '0f f7', { ...MMX, prepare: hook.prepareMaskMove }],
  ['movq2dq Vx,Nq', 'f3 0f d6', MMX],
  ['movdq2q Pq,Ux', 'f2 0f d6', MMX],
  ['cvtpi2ps Vx,Qq', '0f 2a', { ...MMX, mxcsr: true }],
  ['cvtpi2pd Vx,Qq', '66 0f 2a', { ...MMX, mxcsr: true }],
  ['cvttps2pi Pq,Wq', '0f 2c', { ...MMX, data: 'f32' }],
  ['cvttpd2pi Pq,Wx', '66 0f 2c', { ...MMX, data: 'f64' }],
  ['cvtps2pi Pq,Wq', '0f 2d', { ...MMX, data: 'f32' }],
  ['cvtpd2pi Pq,Wx', '66 0f 2d', { ...MMX, data: 'f64' }],
]

const sse2: Row[] = [
  ...BOTH.map(([opcode, name]): Row => [`${name} Vx,Wx`, `66 0f ${opcode}`, INT]),
  ...UNPACK_LOW.map(([opcode, name]): Row => [`${name} Vx,Wx`, `66 0f ${opcode}`, INT]),
  ...SHIFTS.map(([opcode, name]): Row => [`${name} Vx,Wx`, `66 0f ${opcode}`, shift(INT)]),
  ...SHIFTS_BY_IMMEDIATE.map(([opcode, name]): Row => [`${name} Ux,Ib`, `66 0f ${opcode}`, shiftImmediate(INT)]),
  ['psrldq Ux,Ib', '66 0f 73 /3', shiftImmediate(INT)],
  ['pslldq Ux,Ib', '66 0f 73 /7', shiftImmediate(INT)],
  ['punpcklqdq Vx,Wx', '66 0f 6c', INT],
  ['punpckhqdq Vx,Wx', '66 0f 6d', INT],
  ['movd Vx,Ey', '66 0f 6e', INT],
  ['movd Ey,Vx', '66 0f 7e', INT],
  ['movq Vx,Wq', 'f3 0f 7e', INT],
  ['movq Wq,Vx', '66 0f d6', INT],
  ['movdqa Vx,Wx', '66 0f 6f', INT],
  ['movdqa Wx,Vx', '66 0f 7f', INT],
  ['movdqu Vx,Wu', 'f3 0f 6f', INT],
  ['movdqu Wu,Vx', 'f3 0f 7f', INT],
  ['pshufd Vx,Wx,Ib', '66 0f 70', INT],
  ['pshufhw Vx,Wx,Ib', 'f3 0f 70', INT],
  ['pshuflw Vx,Wx,Ib', 'f2 0f 70', INT],
  ['pinsrw Vx,Ew,Ib', '66 0f c4', INT],
  ['pextrw Gd,Ux,Ib', '66 0f c5', INT],
  ['pmovmskb Gd,Ux', '66 0f d7', INT],
  ['movntdq Mx,Vx', '66 0f e7', INT],
  ['maskmovdqu Vx,Ux', '66 0f f7', { ...INT, prepare: hook.prepareMaskMove }],
]

const ssse3: Row[] = [
  ...SSSE3.flatMap(([opcode, name]): Row[] => [
    [`${name} Pq,Qq`, `0f 38 ${opcode}`, MMX],
    [`${name} Vx,Wx`, `66 0f 38 ${opcode}`, INT],
  ]),
  ['palignr Pq,Qq,Ib', '0f 3a 0f', shiftImmediate(MMX)],
  ['palignr Vx,Wx,Ib', '66 0f 3a 0f', shiftImmediate(INT)],
]

const EXTEND = ['bw q', 'bd d', 'bq w', 'wd q', 'wq d', 'dq q']

const SSE41: readonly (readonly [string, string])[] = [
  ['28', 'pmuldq'],
  ['29', 'pcmpeqq'],
  ['2b', 'packusdw'],
  ['38', 'pminsb'],
  ['39', 'pminsd'],
  ['3a', 'pminuw'],
  ['3b', 'pminud'],
  ['3c', 'pmaxsb'],
  ['3d', 'pmaxsd'],
  ['3e', 'pmaxuw'],
  ['3f', 'pmaxud'],
  ['40', 'pmulld'],
  ['41', 'phminposuw'],
  ['10', 'pblendvb'],
  ['17', 'ptest'],
]

const sse41: Row[] = [
  ...SSE41.map(([opcode, name]): Row => [`${name} Vx,Wx`, `66 0f 38 ${opcode}`, INT]),
  ...['sx', 'zx'].flatMap((kind, k) =>
    EXTEND.map((text, n): Row => {
      const [suffix, size] = text.split(' ') as [string, string]
      return [`pmov${kind}${suffix} Vx,W${size}`, `66 0f 38 ${k === 0 ? '2' : '3'}${n}`, INT]
    }),
  ),
  ['movntdqa Vx,Mx', '66 0f 38 2a', INT],
  ['blendvps Vx,Wx', '66 0f 38 14', F32],
  ['blendvpd Vx,Wx', '66 0f 38 15', F64],
  ['roundps Vx,Wx,Ib', '66 0f 3a 08', { ...F32, immediate: (c) => c.random.below(16) }],
  ['roundpd Vx,Wx,Ib', '66 0f 3a 09', { ...F64, immediate: (c) => c.random.below(16) }],
  ['roundss Vx,Wd,Ib', '66 0f 3a 0a', { ...F32, immediate: (c) => c.random.below(16) }],
  ['roundsd Vx,Wq,Ib', '66 0f 3a 0b', { ...F64, immediate: (c) => c.random.below(16) }],
  ['blendps Vx,Wx,Ib', '66 0f 3a 0c', F32],
  ['blendpd Vx,Wx,Ib', '66 0f 3a 0d', F64],
  ['pblendw Vx,Wx,Ib', '66 0f 3a 0e', INT],
  ['pextrb Ed,Vx,Ib', '66 0f 3a 14', { ...INT, only: 'reg' }],
  ['pextrb Mb,Vx,Ib', '66 0f 3a 14', INT],
  ['pextrw Ed,Vx,Ib', '66 0f 3a 15', { ...INT, only: 'reg' }],
  ['pextrw Mw,Vx,Ib', '66 0f 3a 15', INT],
  ['pextrd Ey,Vx,Ib', '66 0f 3a 16', INT],
  ['extractps Ed,Vx,Ib', '66 0f 3a 17', INT],
  ['pinsrb Vx,Ed,Ib', '66 0f 3a 20', { ...INT, only: 'reg' }],
  ['pinsrb Vx,Mb,Ib', '66 0f 3a 20', INT],
  ['insertps Vx,Wd,Ib', '66 0f 3a 21', INT],
  ['pinsrd Vx,Ey,Ib', '66 0f 3a 22', INT],
  ['dpps Vx,Wx,Ib', '66 0f 3a 40', F32],
  ['dppd Vx,Wx,Ib', '66 0f 3a 41', F64],
  ['mpsadbw Vx,Wx,Ib', '66 0f 3a 42', INT],
]

const STRING: RowOptions = {
  ...INT,
  prepare: hook.prepareStringCompare,
  reserve: [0, 2],
  immediate: (c) => c.random.below(128),
}

const sse42: Row[] = [
  ['pcmpgtq Vx,Wx', '66 0f 38 37', INT],
  ['pcmpestrm Vx,Wu,Ib', '66 0f 3a 60', { ...STRING, sizes: [0, 64] }],
  ['pcmpestri Vx,Wu,Ib', '66 0f 3a 61', { ...STRING, sizes: [0, 64] }],
  ['pcmpistrm Vx,Wu,Ib', '66 0f 3a 62', STRING],
  ['pcmpistri Vx,Wu,Ib', '66 0f 3a 63', STRING],
  ['crc32 Gy,Eb', 'f2 0f 38 f0'],
  ['crc32 Gd,Ev', 'f2 0f 38 f1'],
]

const aes: Row[] = [
  ['aesimc Vx,Wx', '66 0f 38 db', INT],
  ['aesenc Vx,Wx', '66 0f 38 dc', INT],
  ['aesenclast Vx,Wx', '66 0f 38 dd', INT],
  ['aesdec Vx,Wx', '66 0f 38 de', INT],
  ['aesdeclast Vx,Wx', '66 0f 38 df', INT],
  ['aeskeygenassist Vx,Wx,Ib', '66 0f 3a df', INT],
]

const sha: Row[] = [
  ['sha1nexte Vx,Wx', '0f 38 c8', INT],
  ['sha1msg1 Vx,Wx', '0f 38 c9', INT],
  ['sha1msg2 Vx,Wx', '0f 38 ca', INT],
  ['sha256rnds2 Vx,Wx', '0f 38 cb', INT],
  ['sha256msg1 Vx,Wx', '0f 38 cc', INT],
  ['sha256msg2 Vx,Wx', '0f 38 cd', INT],
  ['sha1rnds4 Vx,Wx,Ib', '0f 3a cc', INT],
]

export const sseInteger: readonly Family[] = [
  { name: 'mmx', rows: mmx },
  { name: 'sse2', rows: sse2 },
  { name: 'ssse3', feature: 'ssse3', rows: ssse3 },
  { name: 'sse4_1', feature: 'sse4_1', rows: sse41 },
  { name: 'sse4_2', feature: 'sse4_2', rows: sse42 },
  { name: 'aes', feature: 'aes', rows: aes },
  { name: 'pclmulqdq', feature: 'pclmulqdq', rows: [['pclmulqdq Vx,Wx,Ib', '66 0f 3a 44', INT]] },
  { name: 'sha', feature: 'sha_ni', rows: sha },
]
