/** The floating-point and SIMD state as a whole: control words, FXSAVE, XSAVE. See rows.ts for the notation. */
export const FPU_STATE_TABLE = `
db /4 r rm=2 fnclex
db /4 r rm=3 fninit
d9 /5 m fldcw Mw
d9 /7 m fnstcw =Mw
dd /7 m fnstsw =Mw
df /4 r rm=0 fnstsw_ax
np 0f ae /0 m fxsave M- os
np 0f ae /1 m fxrstor M- os
np 0f ae /2 m ldmxcsr Md
np 0f ae /3 m stmxcsr =Md
np 0f ae /4 m xsave M- os cpuid:xsave
np 0f ae /5 m xrstor M- os cpuid:xsave
np 0f ae /6 m xsaveopt M- os cpuid:xsaveopt
np 0f 77 emms
`
