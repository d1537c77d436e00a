/** x87: opcodes D8 to DF, except the control word and state rows of fpu-state-table.ts. Register operands are ST(i), N in the notation of rows.ts. */
const OPERATIONS = ['fadd', 'fmul', 'fcom', 'fcomp', 'fsub', 'fsubr', 'fdiv', 'fdivr']

function arithmetic(): string {
  return OPERATIONS.map((name, digit) => {
    const memory = `
d8 /${digit} m ${name}_real Md
dc /${digit} m ${name}_real Mq
da /${digit} m ${name}_int Md
de /${digit} m ${name}_int Mw
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
d9 /0 m fld Md
dd /0 m fld Mq
db /5 m fld_m80 M-
d9 /0 r fld_st Nq
d9 /2 m fst =Md
dd /2 m fst =Mq
dd /2 r fst_st Nq
d9 /3 m fstp =Md
dd /3 m fstp =Mq
db /7 m fstp_m80 M-
dd /3 r fstp_st Nq
d9 /3 r fstp_st Nq
df /2 r fstp_st Nq
df /3 r fstp_st Nq
d9 /1 r fxch Nq
dd /1 r fxch Nq
df /1 r fxch Nq
df /0 m fild Mw
db /0 m fild Md
df /5 m fild Mq
df /1 m fisttp =Mw
db /1 m fisttp =Md
dd /1 m fisttp =Mq
df /2 m fist =Mw
db /2 m fist =Md
df /3 m fistp =Mw
db /3 m fistp =Md
df /7 m fistp =Mq
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
