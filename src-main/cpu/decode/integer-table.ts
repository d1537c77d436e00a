/** General instructions: opcode maps one and 0F, BMI, and the forms of 16- and 32-bit mode. See rows.ts for the notation. */
const ALU = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp']
const hex = (n: number): string => n.toString(16).padStart(2, '0')

function alu(): string {
  return ALU.map((name, i) => {
    const d = name === 'cmp' ? '' : '!'
    const lock = name === 'cmp' ? '' : 'lock'
    const base = i * 8
    return `
${hex(base)} ${name} ${d}Eb,Gb ${lock} hot
${hex(base + 1)} ${name} ${d}Ev,Gv ${lock} hot
${hex(base + 2)} ${name} ${d}Gb,Eb hot
${hex(base + 3)} ${name} ${d}Gv,Ev hot
${hex(base + 4)} ${name} ${d}Ab,Ib
${hex(base + 5)} ${name} ${d}Av,Iv hot
80 /${i} ${name} ${d}Eb,Ib ${lock} hot
81 /${i} ${name} ${d}Ev,Iv ${lock} hot
82 /${i} ${name} ${d}Eb,Ib ${lock} i64
83 /${i} ${name} ${d}Ev,Is ${lock} hot`
  }).join('\n')
}

const SHIFTS = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'shl', 'sar']
function shifts(): string {
  return SHIFTS.map((name, i) => {
    const hot = i >= 4 ? 'hot' : ''
    return `
c0 /${i} ${name} !Eb,Ib
c1 /${i} ${name} !Ev,Ib ${hot}
d0 /${i} ${name} !Eb,1b
d1 /${i} ${name} !Ev,1b ${hot}
d2 /${i} ${name} !Eb,Cb
d3 /${i} ${name} !Ev,Cb`
  }).join('\n')
}

function conditions(): string {
  return Array.from(
    { length: 16 },
    (_, cc) => `
${hex(0x70 + cc)} j${cc} Jb f64 os cs hot
0f ${hex(0x80 + cc)} j${cc} Jz f64 os cs hot
0f ${hex(0x90 + cc)} set${cc} =Eb
0f ${hex(0x40 + cc)} cmov${cc} !Gv,Ev`,
  ).join('\n')
}

const BIT_TESTS = ['bt', 'bts', 'btr', 'btc']
function bitTests(): string {
  return BIT_TESTS.map((name, i) => {
    const d = i === 0 ? '' : '!'
    const lock = i === 0 ? '' : 'lock'
    return `
0f ${hex(0xa3 + i * 8)} r ${name} ${d}Ev,Gv
0f ${hex(0xa3 + i * 8)} m ${name}_far M-v,Gv ${lock} os
0f ba /${4 + i} ${name} ${d}Ev,Ib ${lock}`
  }).join('\n')
}

export const INTEGER_TABLE = `
${alu()}
${shifts()}
${conditions()}
${bitTests()}
27 daa i64
2f das i64
37 aaa i64
3f aas i64
d4 aam Ib i64
d5 aad Ib i64
d6 salc i64
40+ inc !Zv i64
48+ dec !Zv i64
50+ push =Sv,Zv d64 st hot
58+ pop =Zv,Tv d64 st hot
60 pusha os i64 st
61 popa os i64 st
62 m bound Gv,M-v i64 os
63 arpl !Ew,Gw i64
63 movsx =Gv,Ed o64 hot
68 push =Sv,Iv d64 st
69 imul =Gv,Ev,Iv
6a push =Sv,Is d64 st
6b imul =Gv,Ev,Is
84 test Eb,Gb hot
85 test Ev,Gv hot
86 xchg !Eb,!Gb lock
87 xchg !Ev,!Gv lock
88 mov =Eb,Gb hot
89 mov =Ev,Gv hot
8a mov =Gb,Eb hot
8b mov =Gv,Ev hot
8c r mov_from_sreg =Ev,Sr
8c m mov_from_sreg =Mw,Sr
8d m lea =Gv,M- hot
8e /0 mov_to_sreg Ew,Sr
8e /2 mov_to_sreg Ew,Sr
8e /3 mov_to_sreg Ew,Sr
8e /4 mov_to_sreg Ew,Sr
8e /5 mov_to_sreg Ew,Sr
8f /0 r pop =Rv,Tv d64 st
8f /0 m pop_mem =Ev d64 st
90 nop norexb hot
90+ xchg !Zv,!Av
98 cbw os hot
99 cwd os hot
9a call_far Ap os i64
9b fwait
9c pushf =Sv d64 st
9d popf Tv d64 st
9e sahf
9f lahf
a0 mov =Ab,Ob
a1 mov =Av,Ov
a2 mov =Ob,Ab
a3 mov =Ov,Av
a8 test Ab,Ib hot
a9 test Av,Iv hot
b0+ mov =Zb,Ib hot
b8+ mov =Zv,Iq hot
c2 ret_imm Tv,Iw f64 st cs
c3 ret Tv f64 st cs hot
c4 m les =Gv,M- i64 os
c5 m lds =Gv,M- i64 os
c6 /0 mov =Eb,Ib hot
c7 /0 mov =Ev,Iv hot
c8 enter Iw d64 st os
c9 leave Lv d64 st hot
ca ret_far_imm Iw os
cb ret_far os
cc int3
cd int Ib
ce into i64
cf iret os
d7 xlat
e0 loopne Jb f64 os cs
e1 loope Jb f64 os cs
e2 loop Jb f64 os cs
e3 jcxz Jb f64 os cs
e4 in_imm =Ab,Ib
e5 in_imm =Az,Ib
e6 out_imm Ab,Ib
e7 out_imm Az,Ib
ec in_dx =Ab
ed in_dx =Az
ee out_dx Ab
ef out_dx Az
e8 call =Sv,Jz f64 st cs hot
e9 jmp Jz f64 os cs hot
ea jmp_far Ap os i64
eb jmp Jb f64 os cs hot
f1 int1
f4 hlt
f5 cmc
f6 /0 test Eb,Ib hot
f6 /1 test Eb,Ib
f6 /2 not !Eb lock
f6 /3 neg !Eb lock
f6 /4 mul Eb
f6 /5 imul1 Eb
f6 /6 div Eb
f6 /7 idiv Eb
f7 /0 test Ev,Iv hot
f7 /1 test Ev,Iv
f7 /2 not !Ev lock
f7 /3 neg !Ev lock
f7 /4 mul Ev
f7 /5 imul1 Ev
f7 /6 div Ev
f7 /7 idiv Ev
f8 clc
f9 stc
fa cli
fb sti
fc cld
fd std
fe /0 inc !Eb lock
fe /1 dec !Eb lock
ff /0 inc !Ev lock
ff /1 dec !Ev lock
ff /2 r call_reg =Sv,Rv f64 st cs
ff /2 m call_mem Ev f64 st cs
ff /3 m call_far_mem M- os
ff /4 jmp_near Ev f64 cs hot
ff /5 m jmp_far_mem M- os
ff /6 r push =Sv,Rv d64 st
ff /6 m push_mem Ev d64 st

6c insb
6d ins os
6e outsb
6f outs os
a4 movsb
a5 movs_ os
a6 cmpsb
a7 cmps os
aa stosb
ab stos os
ac lodsb
ad lods os
ae scasb
af scas os

06 push_sreg0 =Sv i64 st
0e push_sreg1 =Sv i64 st
16 push_sreg2 =Sv i64 st
1e push_sreg3 =Sv i64 st
0f a0 push_sreg4 =Sv d64 st
0f a8 push_sreg5 =Sv d64 st
07 pop_sreg0 Tv i64 st
17 pop_sreg2 Tv i64 st
1f pop_sreg3 Tv i64 st
0f a1 pop_sreg4 Tv d64 st
0f a9 pop_sreg5 Tv d64 st
0f b2 m lss =Gv,M- os
0f b4 m lfs =Gv,M- os
0f b5 m lgs =Gv,M- os

0f 00 /0 r sldt =Ev
0f 00 /0 m sldt =Mw
0f 00 /1 r str =Ev
0f 00 /1 m str =Mw
0f 00 /2 lldt Ew
0f 00 /3 ltr Ew
0f 00 /4 verr Ew
0f 00 /5 verw Ew
0f 01 /0 m sgdt M-
0f 01 /1 m sidt M-
0f 01 /2 m lgdt M- os
0f 01 /3 m lidt M- os
0f 01 /4 r smsw =Ev
0f 01 /4 m smsw =Mw
0f 01 /6 lmsw Ew
0f 01 /7 m invlpg M-
0f 01 /0 r rm=1 ud
0f 01 /1 r rm=0 monitor
0f 01 /1 r rm=1 mwait
0f 01 /1 r rm=2 clac cpuid:smap
0f 01 /1 r rm=3 stac cpuid:smap
0f 01 /2 r rm=0 xgetbv cpuid:xsave
0f 01 /2 r rm=1 xsetbv cpuid:xsave
0f 01 /7 r rm=0 swapgs o64
0f 01 /7 r rm=1 rdtscp cpuid:rdtscp
0f 02 lar =Gv,Ew
0f 03 lsl =Gv,Ew
0f 05 syscall
0f 06 clts
0f 07 sysret os
0f 08 invd
0f 09 wbinvd
0f 0b ud
0f 0d m nop M-
0f 18 nop_e M-
0f 19 nop_e M-
0f 1a nop_e M-
0f 1b nop_e M-
0f 1c nop_e M-
0f 1d nop_e M-
0f 1e nop_e M-
0f 1f nop_e M- hot
0f 20 mov_from_cr =Ry,Cr f64
0f 21 mov_from_dr =Ry,Dr f64
0f 22 mov_to_cr Ry,Cr f64
0f 23 mov_to_dr Ry,Dr f64
0f 30 wrmsr
0f 31 rdtsc
0f 32 rdmsr
0f 33 rdpmc
0f 34 sysenter
0f 35 sysexit os
0f a2 cpuid
0f a4 shld !Ev,Gv,Ib
0f a5 shld !Ev,Gv,Cb
0f ac shrd !Ev,Gv,Ib
0f ad shrd !Ev,Gv,Cb
0f af imul =Gv,Gv,Ev hot
0f b0 cmpxchg !Eb,Gb lock
0f b1 cmpxchg !Ev,Gv lock
0f b6 movzx =Gv,Eb hot
0f b7 movzx =Gv,Ew hot
0f be movsx =Gv,Eb hot
0f bf movsx =Gv,Ew
f3 0f b8 popcnt =Gv,Ev cpuid:popcnt
0f b9 ud modrm
0f ff ud modrm
0f bc bsf =Gv,Ev
0f bd bsr =Gv,Ev
f3 0f bc tzcnt =Gv,Ev cpuid:bmi1
f3 0f bd lzcnt =Gv,Ev cpuid:abm
0f c0 xadd !Eb,!Gb lock
0f c1 xadd !Ev,!Gv lock
np 0f c3 m mov =My,Gy
0f c7 /1 m cmpxchg8b !Mq lock w0
0f c7 /1 m cmpxchg16b !Mx lock w1 cpuid:cx16
0f c7 /6 r rdrand =Rv cpuid:rdrand
0f c7 /7 r rdseed =Rv cpuid:rdseed
f3 0f c7 /7 r rdpid =Rq cpuid:rdpid
0f c8+ bswap !Zv
np 0f ae /5 r nop
np 0f ae /6 r nop
np 0f ae /7 r nop
np 0f ae /7 m clflush M-
66 0f ae /7 m clflush M- cpuid:clflushopt
66 0f ae /6 m clflush M- cpuid:clwb
f3 0f ae /0 r rdfsbase =Ry cpuid:fsgsbase o64
f3 0f ae /1 r rdgsbase =Ry cpuid:fsgsbase o64
f3 0f ae /2 r wrfsbase Ry cpuid:fsgsbase o64
f3 0f ae /3 r wrgsbase Ry cpuid:fsgsbase o64
np 0f38 f0 m movbe =Gv,Mv cpuid:movbe
np 0f38 f1 m movbe =Mv,Gv cpuid:movbe
66 0f38 f0 m movbe =Gv,Mv cpuid:movbe
66 0f38 f1 m movbe =Mv,Gv cpuid:movbe
f2 0f38 f0 crc32 !Gy,Eb cpuid:sse4_2
f2 0f38 f1 crc32 !Gy,Ev cpuid:sse4_2
66 0f38 f6 adcx !Gy,Ey cpuid:adx
f3 0f38 f6 adox !Gy,Ey cpuid:adx
66 0f38 82 m invpcid Gy,M- cpuid:invpcid
np vex0f38 f2 andn =Gy,By,Ey cpuid:bmi1
np vex0f38 f3 /1 blsr =By,Ey cpuid:bmi1
np vex0f38 f3 /2 blsmsk =By,Ey cpuid:bmi1
np vex0f38 f3 /3 blsi =By,Ey cpuid:bmi1
np vex0f38 f7 bextr =Gy,Ey,By cpuid:bmi1
np vex0f38 f5 bzhi =Gy,Ey,By cpuid:bmi2
66 vex0f38 f7 shlx =Gy,Ey,By cpuid:bmi2
f2 vex0f38 f7 shrx =Gy,Ey,By cpuid:bmi2
f3 vex0f38 f7 sarx =Gy,Ey,By cpuid:bmi2
f2 vex0f38 f5 pdep =Gy,By,Ey cpuid:bmi2
f3 vex0f38 f5 pext =Gy,By,Ey cpuid:bmi2
f2 vex0f38 f6 mulx =Gy,=By,Ey cpuid:bmi2
f2 vex0f3a f0 rorx =Gy,Ey,Ib cpuid:bmi2
`
