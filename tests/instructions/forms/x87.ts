// x87: every instruction but the transcendental ones (transcendental.ts).
import type { Family, Row, RowOptions } from '../form.ts'
import * as hook from './x87-hooks.ts'

/** C0, C2 and C3 are undefined after most instructions; C1 tells rounding or stack overflow. */
const X87: RowOptions = { state: 'x87', data: 'x87', mask: hook.undefinedCodes('C0 C2 C3') }
const M32: RowOptions = { ...X87, data: 'f32' }
const M64: RowOptions = { ...X87, data: 'f64' }
const INTEGER: RowOptions = { ...X87, data: 'int' }
const ALL_UNDEFINED: RowOptions = { ...X87, mask: hook.undefinedCodes('C0 C1 C2 C3') }
const NONE_UNDEFINED: RowOptions = { state: 'x87', data: 'x87' }
const hex = (value: number): string => value.toString(16).padStart(2, '0')

const OPERATIONS = ['fadd', 'fmul', 'fcom', 'fcomp', 'fsub', 'fsubr', 'fdiv', 'fdivr']

/** Comparisons set C0, C2 and C3. */
const codes = (name: string, options: RowOptions): RowOptions => {
  const { mask, ...rest } = options
  return name.includes('com') ? rest : mask ? options : rest
}

const arithmetic: Row[] = OPERATIONS.flatMap((name, n): Row[] => [
  [`${name} Md`, `d8 /${n}`, codes(name, M32)],
  [`${name} Mq`, `dc /${n}`, codes(name, M64)],
  [`${name.replace('f', 'fi')} Md`, `da /${n}`, codes(name, INTEGER)],
  [`${name.replace('f', 'fi')} Mw`, `de /${n}`, codes(name, INTEGER)],
  [`${name} ST0,Si`, `d8 ${hex(0xc0 + 8 * n)}`, codes(name, X87)],
])

/** In the DC and DE groups the reversed operations change places. */
const toStack: Row[] = ['fadd', 'fmul', 'fsubr', 'fsub', 'fdivr', 'fdiv'].flatMap((name, n): Row[] => {
  const opcode = hex([0xc0, 0xc8, 0xe0, 0xe8, 0xf0, 0xf8][n] ?? 0)
  return [
    [`${name} Si,ST0`, `dc ${opcode}`, X87],
    [`${name}p Si,ST0`, `de ${opcode}`, X87],
  ]
})

const loads: Row[] = [
  ['fld Md', 'd9 /0', M32],
  ['fld Mq', 'dd /0', M64],
  ['fld M10', 'db /5', X87],
  ['fld Si', 'd9 c0', X87],
  ['fild Mw', 'df /0', INTEGER],
  ['fild Md', 'db /0', INTEGER],
  ['fild Mq', 'df /5', INTEGER],
  ['fbld M10', 'df /4', { ...X87, prepare: hook.prepareDecimal }],
  ...['fld1', 'fldl2t', 'fldl2e', 'fldpi', 'fldlg2', 'fldln2', 'fldz'].map((name, n): Row => [
    name,
    `d9 ${hex(0xe8 + n)}`,
    X87,
  ]),
]

const stores: Row[] = [
  ['fst Md', 'd9 /2', X87],
  ['fstp Md', 'd9 /3', X87],
  ['fst Mq', 'dd /2', X87],
  ['fstp Mq', 'dd /3', X87],
  ['fstp M10', 'db /7', X87],
  ['fst Si', 'dd d0', X87],
  ['fstp Si', 'dd d8', X87],
  ...['fisttp', 'fist', 'fistp'].flatMap((name, n): Row[] => [
    [`${name} Mw`, `df /${n + 1}`, X87],
    [`${name} Md`, `db /${n + 1}`, X87],
  ]),
  ['fisttp Mq', 'dd /1', X87],
  ['fistp Mq', 'df /7', X87],
  ['fbstp M10', 'df /6', X87],
]

const unary: Row[] = [
  ['fchs', 'd9 e0', X87],
  ['fabs', 'd9 e1', X87],
  ['ftst', 'd9 e4', NONE_UNDEFINED],
  ['fxam', 'd9 e5', NONE_UNDEFINED],
  ['fxtract', 'd9 f4', X87],
  ['fprem1', 'd9 f5', NONE_UNDEFINED],
  ['fprem', 'd9 f8', NONE_UNDEFINED],
  ['fsqrt', 'd9 fa', X87],
  ['frndint', 'd9 fc', X87],
  ['fscale', 'd9 fd', X87],
]

const comparisons: Row[] = [
  ['fucompp', 'da e9', NONE_UNDEFINED],
  ['fcompp', 'de d9', NONE_UNDEFINED],
  ['fucom Si', 'dd e0', NONE_UNDEFINED],
  ['fucomp Si', 'dd e8', NONE_UNDEFINED],
  ['fucomi ST0,Si', 'db e8', NONE_UNDEFINED],
  ['fcomi ST0,Si', 'db f0', NONE_UNDEFINED],
  ['fucomip ST0,Si', 'df e8', NONE_UNDEFINED],
  ['fcomip ST0,Si', 'df f0', NONE_UNDEFINED],
  ...['b', 'e', 'be', 'u'].flatMap((condition, n): Row[] => [
    [`fcmov${condition} ST0,Si`, `da ${hex(0xc0 + 8 * n)}`, ALL_UNDEFINED],
    [`fcmovn${condition} ST0,Si`, `db ${hex(0xc0 + 8 * n)}`, ALL_UNDEFINED],
  ]),
]

const ENVIRONMENT: RowOptions = { ...ALL_UNDEFINED, prepare: hook.prepareEnvironment }

const control: Row[] = [
  ['fnop', 'd9 d0', ALL_UNDEFINED],
  ['fwait', '9b', ALL_UNDEFINED],
  ['fxch Si', 'd9 c8', X87],
  ['ffree Si', 'dd c0', ALL_UNDEFINED],
  ['fdecstp', 'd9 f6', X87],
  ['fincstp', 'd9 f7', X87],
  ['fnclex', 'db e2', ALL_UNDEFINED],
  ['fninit', 'db e3', NONE_UNDEFINED],
  ['fldcw Mw', 'd9 /5', ENVIRONMENT],
  ['fnstcw Mw', 'd9 /7', ALL_UNDEFINED],
  ['fnstsw Mw', 'dd /7', ALL_UNDEFINED],
  ['fnstsw AX', 'df e0', ALL_UNDEFINED],
  ['fldenv M28', 'd9 /4', { ...ENVIRONMENT, sizes: [32] }],
  ['fldenv M14', 'd9 /4', { ...ENVIRONMENT, sizes: [16] }],
  ['fnstenv M28', 'd9 /6', { ...X87, sizes: [32], mask: hook.environmentPointers }],
  ['fnstenv M14', 'd9 /6', { ...X87, sizes: [16], mask: hook.environmentPointers }],
  ['frstor M108', 'dd /4', { ...ENVIRONMENT, sizes: [32] }],
  ['frstor M94', 'dd /4', { ...ENVIRONMENT, sizes: [16] }],
  ['fnsave M108', 'dd /6', { ...X87, sizes: [32], mask: hook.environmentPointers }],
  ['fnsave M94', 'dd /6', { ...X87, sizes: [16], mask: hook.environmentPointers }],
]

const image: Row[] = [
  ['fxsave M512', '0f ae /0', { state: 'x87', data: 'int', align: 16, sizes: [32, 64], mask: hook.imagePointers }],
  [
    'fxrstor M512',
    '0f ae /1',
    { state: 'sse', align: 16, sizes: [32, 64], prepare: hook.prepareImage, mask: hook.imageFault },
  ],
  ['ldmxcsr Md', '0f ae /2', { state: 'sse', mxcsr: true, prepare: hook.prepareMxcsr }],
  ['stmxcsr Md', '0f ae /3', { state: 'sse', mxcsr: true }],
]

/** Encodings that the manuals leave out and every processor has (AMD APM vol. 3, appendix A.1). */
const ALIASES: Row[] = [
  ['fcom-alias Si', 'dc d0', NONE_UNDEFINED],
  ['fcomp-alias-dc Si', 'dc d8', NONE_UNDEFINED],
  ['fcomp-alias-de Si', 'de d0', NONE_UNDEFINED],
  ['fxch-alias-dd Si', 'dd c8', X87],
  ['fxch-alias-df Si', 'df c8', X87],
  ['fstp-alias-d9 Si', 'd9 d8', X87],
  ['fstp-alias-df-d0 Si', 'df d0', X87],
  ['fstp-alias-df-d8 Si', 'df d8', X87],
  ['ffreep Si', 'df c0', ALL_UNDEFINED],
  ['feni', 'db e0', ALL_UNDEFINED],
  ['fdisi', 'db e1', ALL_UNDEFINED],
  ['fsetpm', 'db e4', ALL_UNDEFINED],
]

export const x87: readonly Family[] = [
  { name: 'x87-arithmetic', rows: [...arithmetic, ...toStack, ...unary] },
  { name: 'x87-move', rows: [...loads, ...stores] },
  { name: 'x87-compare', rows: comparisons },
  { name: 'x87-control', rows: control },
  { name: 'x87-alias', rows: ALIASES },
  { name: 'fxsave', rows: image },
]
