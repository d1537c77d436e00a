// Floating-point instructions of SSE, SSE2 and SSE3.
import type { Family, Row, RowOptions } from '../form.ts'
import { approximateReciprocal } from './approximate.ts'

export const F32: RowOptions = { state: 'sse', data: 'f32' }
export const F64: RowOptions = { state: 'sse', data: 'f64' }
export const INT: RowOptions = { state: 'sse', data: 'int' }
const RECIPROCAL: RowOptions = { ...F32, mask: approximateReciprocal }
const COMPARE_IMMEDIATE: RowOptions = { immediate: (c) => c.random.below(8) }

/** The four of a kind: packed and scalar, single and double. */
function four(name: string, opcode: string): Row[] {
  return [
    [`${name}ps Vx,Wx`, `0f ${opcode}`, F32],
    [`${name}pd Vx,Wx`, `66 0f ${opcode}`, F64],
    [`${name}ss Vx,Wd`, `f3 0f ${opcode}`, F32],
    [`${name}sd Vx,Wq`, `f2 0f ${opcode}`, F64],
  ]
}

function packed(name: string, opcode: string, operands = 'Vx,Wx'): Row[] {
  return [
    [`${name}ps ${operands}`, `0f ${opcode}`, F32],
    [`${name}pd ${operands}`, `66 0f ${opcode}`, F64],
  ]
}

const arithmetic: Row[] = [
  ...four('sqrt', '51'),
  ...four('add', '58'),
  ...four('mul', '59'),
  ...four('sub', '5c'),
  ...four('min', '5d'),
  ...four('div', '5e'),
  ...four('max', '5f'),
  ['rsqrtps Vx,Wx', '0f 52', RECIPROCAL],
  ['rsqrtss Vx,Wd', 'f3 0f 52', RECIPROCAL],
  ['rcpps Vx,Wx', '0f 53', RECIPROCAL],
  ['rcpss Vx,Wd', 'f3 0f 53', RECIPROCAL],
  ...packed('and', '54'),
  ...packed('andn', '55'),
  ...packed('or', '56'),
  ...packed('xor', '57'),
]

const comparisons: Row[] = [
  ['cmpps Vx,Wx,Ib', '0f c2', { ...F32, ...COMPARE_IMMEDIATE }],
  ['cmppd Vx,Wx,Ib', '66 0f c2', { ...F64, ...COMPARE_IMMEDIATE }],
  ['cmpss Vx,Wd,Ib', 'f3 0f c2', { ...F32, ...COMPARE_IMMEDIATE }],
  ['cmpsd Vx,Wq,Ib', 'f2 0f c2', { ...F64, ...COMPARE_IMMEDIATE }],
  ['ucomiss Vx,Wd', '0f 2e', F32],
  ['ucomisd Vx,Wq', '66 0f 2e', F64],
  ['comiss Vx,Wd', '0f 2f', F32],
  ['comisd Vx,Wq', '66 0f 2f', F64],
]

const conversions: Row[] = [
  ['cvtsi2ss Vx,Ey', 'f3 0f 2a', F32],
  ['cvtsi2sd Vx,Ey', 'f2 0f 2a', F64],
  ['cvttss2si Gy,Wd', 'f3 0f 2c', F32],
  ['cvttsd2si Gy,Wq', 'f2 0f 2c', F64],
  ['cvtss2si Gy,Wd', 'f3 0f 2d', F32],
  ['cvtsd2si Gy,Wq', 'f2 0f 2d', F64],
  ['cvtps2pd Vx,Wq', '0f 5a', F32],
  ['cvtpd2ps Vx,Wx', '66 0f 5a', F64],
  ['cvtss2sd Vx,Wd', 'f3 0f 5a', F32],
  ['cvtsd2ss Vx,Wq', 'f2 0f 5a', F64],
  ['cvtdq2ps Vx,Wx', '0f 5b', { ...INT, mxcsr: true }],
  ['cvtps2dq Vx,Wx', '66 0f 5b', F32],
  ['cvttps2dq Vx,Wx', 'f3 0f 5b', F32],
  ['cvttpd2dq Vx,Wx', '66 0f e6', F64],
  ['cvtdq2pd Vx,Wq', 'f3 0f e6', { ...INT, mxcsr: true }],
  ['cvtpd2dq Vx,Wx', 'f2 0f e6', F64],
]

const moves: Row[] = [
  ['movups Vx,Wu', '0f 10', F32],
  ['movups Wu,Vx', '0f 11', F32],
  ['movupd Vx,Wu', '66 0f 10', F64],
  ['movupd Wu,Vx', '66 0f 11', F64],
  ['movss Vx,Wd', 'f3 0f 10', F32],
  ['movss Wd,Vx', 'f3 0f 11', F32],
  ['movsd Vx,Wq', 'f2 0f 10', F64],
  ['movsd Wq,Vx', 'f2 0f 11', F64],
  ['movlps Vx,Mq', '0f 12', F32],
  ['movhlps Vx,Ux', '0f 12', F32],
  ['movlps Mq,Vx', '0f 13', F32],
  ['movlpd Vx,Mq', '66 0f 12', F64],
  ['movlpd Mq,Vx', '66 0f 13', F64],
  ['movhps Vx,Mq', '0f 16', F32],
  ['movlhps Vx,Ux', '0f 16', F32],
  ['movhps Mq,Vx', '0f 17', F32],
  ['movhpd Vx,Mq', '66 0f 16', F64],
  ['movhpd Mq,Vx', '66 0f 17', F64],
  ...packed('unpckl', '14'),
  ...packed('unpckh', '15'),
  ...packed('mova', '28'),
  ...packed('mova', '29', 'Wx,Vx'),
  ...packed('movnt', '2b', 'Mx,Vx'),
  ...packed('movmsk', '50', 'Gd,Ux'),
  ...packed('shuf', 'c6', 'Vx,Wx,Ib'),
]

const sse3: Row[] = [
  ['movddup Vx,Wq', 'f2 0f 12', F64],
  ['movsldup Vx,Wx', 'f3 0f 12', F32],
  ['movshdup Vx,Wx', 'f3 0f 16', F32],
  ['haddps Vx,Wx', 'f2 0f 7c', F32],
  ['haddpd Vx,Wx', '66 0f 7c', F64],
  ['hsubps Vx,Wx', 'f2 0f 7d', F32],
  ['hsubpd Vx,Wx', '66 0f 7d', F64],
  ['addsubps Vx,Wx', 'f2 0f d0', F32],
  ['addsubpd Vx,Wx', '66 0f d0', F64],
  ['lddqu Vx,Mu', 'f2 0f f0', INT],
]

export const sseFloat: readonly Family[] = [
  { name: 'sse-arithmetic', rows: arithmetic },
  { name: 'sse-compare', rows: comparisons },
  { name: 'sse-convert', rows: conversions },
  { name: 'sse-move', rows: moves },
  { name: 'sse3', feature: 'pni', rows: sse3 },
]
