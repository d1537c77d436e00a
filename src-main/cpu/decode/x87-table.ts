/** x87: opcodes D8 to DF, except the control word and state rows of fpu-state-table.ts. Register operands are ST(i), N in the
 * notation of rows.ts; memory operands are addresses alone (M-), for #NM and #MF come before the faults of the access. */
const OPERATIONS = ['fadd', 'fmul', 'fcom', 'fcomp', 'fsub', 'fsubr', 'fdiv', 'fdivr']

function arithmetic(): string {
  return OPERATIONS.map((name, digit) => {
    const memory = `
d8 /${digit} m ${name}_real M-d
dc /${digit} m ${name}_real M-q
da /${digit} m ${name}_int M-d
de /${digit} m ${name}_int M-w
d8 /${digit} r ${name}_st Nq`
    // the second digits of comparisons are undocumented names for the same
    if (name === 'fcom') return `${memory}\ndc /2 r fcom_st Nq\nde /2 r fcomp_st Nq`
    if (name === 'fcomp') return `${memory}\ndc /3 r fcomp_st Nq`
    return `${memory}\ndc /${digit} r ${name}_to_st Nq\nde /${digit} r ${name}p_to_st Nq`
  }).join('\n')
}

const D9 = [
  [4, 'fchs fabs - - ftst fxam'],
  [5, 'fld1 fldl2t fldl2e fldpi fldlg2 fldln2 fldz'],
  [6, 'f2xm1 fyl2x fptan fpatan fxtract fprem1 fdecstp fincstp'],
  [7, 'fprem fyl2xp1 fsqrt fsincos frndint fscale fsin fcos'],
] as const
const withoutOperands = (): string =>
  D9.flatMap(([digit, names]) =>
    names.split(' ').map((name, rm) => (name === '-' ? '' : `d9 /${digit} r rm=${rm} ${name}`)),
  ).join('\n')
const moves = (): string =>
  ['b', 'e', 'be', 'u'].map((cc, digit) => `da /${digit} r fcmov${cc} Nq\ndb /${digit} r fcmovn${cc} Nq`).join('\n')

export const X87_TABLE = `
${arithmetic()}
${withoutOperands()}
${moves()}
de /3 r rm=1 fcompp Nq
da /5 r rm=1 fucompp Nq
dd /4 r fucom Nq
dd /5 r fucomp Nq
db /5 r fucomi Nq
db /6 r fcomi Nq
df /5 r fucomip Nq
df /6 r fcomip Nq
d9 /0 m fld M-d
dd /0 m fld M-q
db /5 m fld_m80 M-
d9 /0 r fld_st Nq
d9 /2 m fst M-d
dd /2 m fst M-q
dd /2 r fst_st Nq
d9 /3 m fstp M-d
dd /3 m fstp M-q
db /7 m fstp_m80 M-
dd /3 r fstp_st Nq
d9 /3 r fstpnce Nq
df /2 r fstp_st Nq
df /3 r fstp_st Nq
d9 /1 r fxch Nq
dd /1 r fxch Nq
df /1 r fxch Nq
df /0 m fild M-w
db /0 m fild M-d
df /5 m fild M-q
df /1 m fisttp M-w
db /1 m fisttp M-d
dd /1 m fisttp M-q
df /2 m fist M-w
db /2 m fist M-d
df /3 m fistp M-w
db /3 m fistp M-d
df /7 m fistp M-q
df /4 m fbld M-
df /6 m fbstp M-
d9 /2 r rm=0 fnop
db /4 r rm=0 fn_obsolete
db /4 r rm=1 fn_obsolete
db /4 r rm=4 fn_obsolete
dd /0 r ffree Nq
df /0 r ffreep Nq
d9 /4 m fldenv M- os
d9 /6 m fnstenv M- os
dd /4 m frstor M- os
dd /6 m fnsave M- os
`
