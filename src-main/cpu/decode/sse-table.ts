/** SSE to SSE4.2, AES, PCLMULQDQ, SHA: moves and integers here, floating point in sse-float-table.ts. See rows.ts for the notation. */
const hex = (n: number): string => n.toString(16).padStart(2, '0')

/** Opcodes in 0F that exist for MMX (no prefix) and SSE2 (66). */
const BOTH: Readonly<Record<string, number>> = {
  packsswb: 0x63,
  pcmpgtb: 0x64,
  pcmpgtw: 0x65,
  pcmpgtd: 0x66,
  packuswb: 0x67,
  punpckhbw: 0x68,
  punpckhwd: 0x69,
  punpckhdq: 0x6a,
  packssdw: 0x6b,
  pcmpeqb: 0x74,
  pcmpeqw: 0x75,
  pcmpeqd: 0x76,
  psrlw: 0xd1,
  psrld: 0xd2,
  psrlq: 0xd3,
  paddq: 0xd4,
  pmullw: 0xd5,
  psubusb: 0xd8,
  psubusw: 0xd9,
  pminub: 0xda,
  pand: 0xdb,
  paddusb: 0xdc,
  paddusw: 0xdd,
  pmaxub: 0xde,
  pandn: 0xdf,
  pavgb: 0xe0,
  psraw: 0xe1,
  psrad: 0xe2,
  pavgw: 0xe3,
  pmulhuw: 0xe4,
  pmulhw: 0xe5,
  psubsb: 0xe8,
  psubsw: 0xe9,
  pminsw: 0xea,
  por: 0xeb,
  paddsb: 0xec,
  paddsw: 0xed,
  pmaxsw: 0xee,
  pxor: 0xef,
  psllw: 0xf1,
  pslld: 0xf2,
  psllq: 0xf3,
  pmuludq: 0xf4,
  pmaddwd: 0xf5,
  psadbw: 0xf6,
  psubb: 0xf8,
  psubw: 0xf9,
  psubd: 0xfa,
  psubq: 0xfb,
  paddb: 0xfc,
  paddw: 0xfd,
  paddd: 0xfe,
}
/** In MMX the low unpacks read only four bytes of memory. */
const UNPACK_LOW: Readonly<Record<string, number>> = { punpcklbw: 0x60, punpcklwd: 0x61, punpckldq: 0x62 }
/** In 0F38, both register files. */
const SSSE3: Readonly<Record<string, number>> = {
  pshufb: 0x00,
  phaddw: 0x01,
  phaddd: 0x02,
  phaddsw: 0x03,
  pmaddubsw: 0x04,
  phsubw: 0x05,
  phsubd: 0x06,
  phsubsw: 0x07,
  psignb: 0x08,
  psignw: 0x09,
  psignd: 0x0a,
  pmulhrsw: 0x0b,
}
const SSSE3_ABS: Readonly<Record<string, number>> = { pabsb: 0x1c, pabsw: 0x1d, pabsd: 0x1e }
/** In 0F38 with 66, two operands. */
const SSE41: Readonly<Record<string, number>> = {
  pblendvb: 0x10,
  blendvps: 0x14,
  blendvpd: 0x15,
  pmuldq: 0x28,
  pcmpeqq: 0x29,
  packusdw: 0x2b,
  pminsb: 0x38,
  pminsd: 0x39,
  pminuw: 0x3a,
  pminud: 0x3b,
  pmaxsb: 0x3c,
  pmaxsd: 0x3d,
  pmaxuw: 0x3e,
  pmaxud: 0x3f,
  pmulld: 0x40,
}
const EXTENSIONS = ['bw q', 'bd d', 'bq w', 'wd q', 'wq d', 'dq q']

const each = (names: Readonly<Record<string, number>>, line: (name: string, code: string) => string): string =>
  Object.entries(names)
    .map(([name, code]) => line(name, hex(code)))
    .join('\n')

const extensions = (): string =>
  ['s', 'z']
    .flatMap((kind, high) =>
      EXTENSIONS.map((x, i) => {
        const [lanes, size] = x.split(' ')
        return `66 0f38 ${hex(0x20 + 16 * high + i)} pmov${kind}x${lanes} =Vx,W${size} cpuid:sse4_1`
      }),
    )
    .join('\n')

const shiftsByImmediate = (): string =>
  [
    ['71', 'psrlw', 'psraw', 'psllw'],
    ['72', 'psrld', 'psrad', 'pslld'],
    ['73', 'psrlq', '', 'psllq'],
  ]
    .flatMap(([code, ...names]) =>
      names.map((name, i) =>
        name ? `66 0f ${code} /${2 + 2 * i} r ${name}_i !Ux,Ib\nnp 0f ${code} /${2 + 2 * i} r ${name}_i !Nq,Ib` : '',
      ),
    )
    .join('\n')

export const SSE_TABLE = `
${each(BOTH, (name, code) => `66 0f ${code} ${name} !Vx,Wx\nnp 0f ${code} ${name} !Pq,Qq`)}
${each(UNPACK_LOW, (name, code) => `66 0f ${code} ${name} !Vx,Wx\nnp 0f ${code} ${name} !Pq,Qd`)}
${each(SSSE3, (name, code) => `66 0f38 ${code} ${name} !Vx,Wx cpuid:ssse3\nnp 0f38 ${code} ${name} !Pq,Qq cpuid:ssse3`)}
${each(SSSE3_ABS, (name, code) => `66 0f38 ${code} ${name} =Vx,Wx cpuid:ssse3\nnp 0f38 ${code} ${name} =Pq,Qq cpuid:ssse3`)}
${each(SSE41, (name, code) => `66 0f38 ${code} ${name} !Vx,Wx cpuid:sse4_1`)}
${extensions()}
${shiftsByImmediate()}
66 0f 73 /3 r psrldq_i !Ux,Ib
66 0f 73 /7 r pslldq_i !Ux,Ib
66 0f 6c punpcklqdq !Vx,Wx
66 0f 6d punpckhqdq !Vx,Wx
66 0f 70 pshufd =Vx,Wx,Ib
f2 0f 70 pshuflw =Vx,Wx,Ib
f3 0f 70 pshufhw =Vx,Wx,Ib
np 0f 70 pshuflw =Pq,Qq,Ib
66 0f d7 r pmovmskb =Gd,Ux
np 0f d7 r pmovmskb =Gd,Nq
66 0f c4 r pinsrw !Vx,Ed,Ib
66 0f c4 m pinsrw !Vx,Mw,Ib
np 0f c4 r pinsrw !Pq,Ed,Ib
np 0f c4 m pinsrw !Pq,Mw,Ib
66 0f c5 r pextrw =Gd,Ux,Ib
np 0f c5 r pextrw =Gd,Nq,Ib
66 0f3a 0e pblendw !Vx,Wx,Ib cpuid:sse4_1
66 0f3a 0f palignr !Vx,Wx,Ib cpuid:ssse3
np 0f3a 0f palignr !Pq,Qq,Ib cpuid:ssse3
66 0f38 17 ptest Vx,Wx cpuid:sse4_1
66 0f38 37 pcmpgtq !Vx,Wx cpuid:sse4_2
66 0f38 41 phminposuw =Vx,Wx cpuid:sse4_1
66 0f3a 42 mpsadbw !Vx,Wx,Ib cpuid:sse4_1
66 0f3a 14 r pextrb =Ed,Vx,Ib cpuid:sse4_1
66 0f3a 14 m pextrb =Mb,Vx,Ib cpuid:sse4_1
66 0f3a 15 r pextrw_e =Ed,Vx,Ib cpuid:sse4_1
66 0f3a 15 m pextrw_e =Mw,Vx,Ib cpuid:sse4_1
66 0f3a 16 pextrd =Ey,Vx,Ib cpuid:sse4_1
66 0f3a 17 extractps =Ed,Vx,Ib cpuid:sse4_1
66 0f3a 20 r pinsrb !Vx,Ed,Ib cpuid:sse4_1
66 0f3a 20 m pinsrb !Vx,Mb,Ib cpuid:sse4_1
66 0f3a 21 insertps !Vx,Wd,Ib cpuid:sse4_1
66 0f3a 22 pinsrd !Vx,Ey,Ib cpuid:sse4_1
66 0f3a 0c blendps !Vx,Wx,Ib cpuid:sse4_1
66 0f3a 0d blendpd !Vx,Wx,Ib cpuid:sse4_1
66 0f3a 60 pcmpestrm Vx,Wx,Ib os cpuid:sse4_2
66 0f3a 61 pcmpestri Vx,Wx,Ib os cpuid:sse4_2
66 0f3a 62 pcmpistrm Vx,Wx,Ib cpuid:sse4_2
66 0f3a 63 pcmpistri Vx,Wx,Ib cpuid:sse4_2
66 0f38 db aesimc =Vx,Wx cpuid:aes
66 0f38 dc aesenc !Vx,Wx cpuid:aes
66 0f38 dd aesenclast !Vx,Wx cpuid:aes
66 0f38 de aesdec !Vx,Wx cpuid:aes
66 0f38 df aesdeclast !Vx,Wx cpuid:aes
66 0f3a df aeskeygenassist =Vx,Wx,Ib cpuid:aes
66 0f3a 44 pclmulqdq !Vx,Wx,Ib cpuid:pclmulqdq
np 0f38 c8 sha1nexte !Vx,Wx cpuid:sha
np 0f38 c9 sha1msg1 !Vx,Wx cpuid:sha
np 0f38 ca sha1msg2 !Vx,Wx cpuid:sha
np 0f38 cb sha256rnds2 !Vx,Wx cpuid:sha
np 0f38 cc sha256msg1 !Vx,Wx cpuid:sha
np 0f38 cd sha256msg2 !Vx,Wx cpuid:sha
np 0f3a cc sha1rnds4 !Vx,Wx,Ib cpuid:sha

np 0f 10 movups =Vx,Wx
66 0f 10 movups =Vx,Wx
f3 0f 10 r movss_merge !Vx,Ux
f3 0f 10 m mov_zx =Vx,Wd
f2 0f 10 r movsd_merge !Vx,Ux
f2 0f 10 m mov_zx =Vx,Wq
np 0f 11 movups =Wx,Vx
66 0f 11 movups =Wx,Vx
f3 0f 11 r movss_merge !Ux,Vx
f3 0f 11 m mov_low =Md,Vx
f2 0f 11 r movsd_merge !Ux,Vx
f2 0f 11 m mov_low =Mq,Vx
np 0f 12 r movhlps !Vx,Ux
np 0f 12 m movlps !Vx,Mq
66 0f 12 m movlps !Vx,Mq
f3 0f 12 movsldup =Vx,Wx cpuid:sse3
f2 0f 12 movddup =Vx,Wq cpuid:sse3
np 0f 13 m mov_low =Mq,Vx
66 0f 13 m mov_low =Mq,Vx
np 0f 14 punpckldq !Vx,Wx
66 0f 14 punpcklqdq !Vx,Wx
np 0f 15 punpckhdq !Vx,Wx
66 0f 15 punpckhqdq !Vx,Wx
np 0f 16 r movlhps !Vx,Ux
np 0f 16 m movhps !Vx,Mq
66 0f 16 m movhps !Vx,Mq
f3 0f 16 movshdup =Vx,Wx cpuid:sse3
np 0f 17 m mov_high =Mq,Vx
66 0f 17 m mov_high =Mq,Vx
np 0f 28 movaps =Vx,Wx
66 0f 28 movaps =Vx,Wx
np 0f 29 movaps =Wx,Vx
66 0f 29 movaps =Wx,Vx
np 0f 2b m movaps =Mx,Vx
66 0f 2b m movaps =Mx,Vx
np 0f 50 r movmskps =Gd,Ux
66 0f 50 r movmskpd =Gd,Ux
66 0f 6e movd_to =Vx,Ey
np 0f 6e movd_to =Pq,Ey
66 0f 6f movaps =Vx,Wx
f3 0f 6f movups =Vx,Wx
np 0f 6f movq_mmx =Pq,Qq
66 0f 7e movd_from =Ey,Vx
np 0f 7e movd_from =Ey,Pq
f3 0f 7e mov_zx =Vx,Wq
66 0f 7f movaps =Wx,Vx
f3 0f 7f movups =Wx,Vx
np 0f 7f movq_mmx =Qq,Pq
66 0f d6 r mov_zx =Uq,Vx
66 0f d6 m mov_low =Mq,Vx
f3 0f d6 r movq2dq =Vx,Nq
f2 0f d6 r movdq2q =Pq,Ux
66 0f e7 m movaps =Mx,Vx
np 0f e7 m movntq =Mq,Pq
f2 0f f0 m movups =Vx,Mx cpuid:sse3
66 0f38 2a m movaps =Vx,Mx cpuid:sse4_1
66 0f f7 r maskmov Vx,Ux cs
np 0f f7 r maskmov Pq,Nq cs
np 0f c6 shufps !Vx,Wx,Ib
66 0f c6 shufpd !Vx,Wx,Ib
np 0f 54 pand !Vx,Wx
66 0f 54 pand !Vx,Wx
np 0f 55 pandn !Vx,Wx
66 0f 55 pandn !Vx,Wx
np 0f 56 por !Vx,Wx
66 0f 56 por !Vx,Wx
np 0f 57 pxor !Vx,Wx
66 0f 57 pxor !Vx,Wx
`
