/** Floating point of SSE to SSE4.1. See rows.ts for the notation. */

/** Opcodes in 0F that have all of ps (no prefix), pd (66), ss (f3), sd (f2). */
const FOUR: Readonly<Record<string, string>> = { add: '58', mul: '59', sub: '5c', min: '5d', div: '5e', max: '5f' }

const four = (): string =>
  Object.entries(FOUR)
    .map(
      ([name, code]) => `
np 0f ${code} ${name}ps !Vx,Wx
66 0f ${code} ${name}pd !Vx,Wx
f3 0f ${code} ${name}ss !Vx,Wd
f2 0f ${code} ${name}sd !Vx,Wq`,
    )
    .join('')

export const SSE_FLOAT_TABLE = `
${four()}
np 0f 51 sqrtps =Vx,Wx
66 0f 51 sqrtpd =Vx,Wx
f3 0f 51 sqrtss !Vx,Wd
f2 0f 51 sqrtsd !Vx,Wq
np 0f 52 rsqrtps =Vx,Wx
f3 0f 52 rsqrtss !Vx,Wd
np 0f 53 rcpps =Vx,Wx
f3 0f 53 rcpss !Vx,Wd
np 0f c2 cmpps !Vx,Wx,Ib
66 0f c2 cmppd !Vx,Wx,Ib
f3 0f c2 cmpss !Vx,Wd,Ib
f2 0f c2 cmpsd !Vx,Wq,Ib
np 0f 2e ucomiss Vx,Wd
66 0f 2e ucomisd Vx,Wq
np 0f 2f comiss Vx,Wd
66 0f 2f comisd Vx,Wq

f3 0f 2a cvtsi2ss !Vx,Ey
f2 0f 2a cvtsi2sd !Vx,Ey
f3 0f 2c cvttss2si =Gy,Wd
f2 0f 2c cvttsd2si =Gy,Wq
f3 0f 2d cvtss2si =Gy,Wd
f2 0f 2d cvtsd2si =Gy,Wq
np 0f 5a cvtps2pd =Vx,Wq
66 0f 5a cvtpd2ps =Vx,Wx
f3 0f 5a cvtss2sd !Vx,Wd
f2 0f 5a cvtsd2ss !Vx,Wq
np 0f 5b cvtdq2ps =Vx,Wx
66 0f 5b cvtps2dq =Vx,Wx
f3 0f 5b cvttps2dq =Vx,Wx
f3 0f e6 cvtdq2pd =Vx,Wq
f2 0f e6 cvtpd2dq =Vx,Wx
66 0f e6 cvttpd2dq =Vx,Wx
np 0f 2a cvtpi2ps !Vx,Qq
66 0f 2a cvtpi2pd =Vx,Qq
np 0f 2c cvttps2pi =Pq,Wq
66 0f 2c cvttpd2pi =Pq,Wx
np 0f 2d cvtps2pi =Pq,Wq
66 0f 2d cvtpd2pi =Pq,Wx

66 0f 7c haddpd !Vx,Wx cpuid:sse3
f2 0f 7c haddps !Vx,Wx cpuid:sse3
66 0f 7d hsubpd !Vx,Wx cpuid:sse3
f2 0f 7d hsubps !Vx,Wx cpuid:sse3
66 0f d0 addsubpd !Vx,Wx cpuid:sse3
f2 0f d0 addsubps !Vx,Wx cpuid:sse3
66 0f3a 08 roundps =Vx,Wx,Ib cpuid:sse4_1
66 0f3a 09 roundpd =Vx,Wx,Ib cpuid:sse4_1
66 0f3a 0a roundss !Vx,Wd,Ib cpuid:sse4_1
66 0f3a 0b roundsd !Vx,Wq,Ib cpuid:sse4_1
66 0f3a 40 dpps !Vx,Wx,Ib cpuid:sse4_1
66 0f3a 41 dppd !Vx,Wx,Ib cpuid:sse4_1
`
