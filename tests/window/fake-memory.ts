/** A small address space for tests of the window: a kernel text page, a direct map, a user page; all else unmapped. */
import type { MappedRange, MemoryRead, PageWalk, RegisterFile, RegisterValue } from '../../src-main/contract/debug.ts'
import type { DisassembledLine, SymbolHit } from '../../src-main/contract/services/debug.ts'

export const TEXT = 0xffffffff81000000n
export const BANNER = 0xffffffff82000180n
const BANNER_PHYSICAL = BANNER & 0xfffffffn
const DIRECT = 0xffff888000000000n
const USER = 0x00005555_5555_4000n

const none = { read: false, write: false, execute: false }
const r = { ...none, read: true }
const rw = { ...r, write: true }
const rx = { ...r, execute: true }

function range(start: bigint, length: bigint, kernel: MappedRange['rights']['kernel'], user = none): MappedRange {
  return {
    start,
    end: start + length,
    rights: { kernel, user },
    global: user === none,
    pageBytes: length >= 0x200000n ? { least: 0x200000, most: 0x200000 } : { least: 4096, most: 4096 },
    physical: start & 0xfffffffn,
  }
}

export const fakeRanges: readonly MappedRange[] = [
  range(USER, 0x1000n, r, r),
  range(USER + 0x1000n, 0x3000n, r, rx),
  range(USER + 0x6000n, 0x2000n, rw, rw),
  range(0x7fff_f7dc_0000n, 0x1c8000n, r, rx),
  range(0x7fff_ffd0_0000n, 0x21000n, rw, rw),
  range(DIRECT, 0x1000000n, rw),
  range(DIRECT + 0x1000000n, 0xe00000n, r),
  range(DIRECT + 0x1e00000n, 0x7e200000n, rw),
  range(0xffffc90000000000n, 0x2000n, rw),
  range(0xffffea0000000000n, 0x2000000n, rw),
  range(TEXT, 0xe00000n, rx),
  range(TEXT + 0x1000000n, 0x600000n, r),
  range(TEXT + 0x1600000n, 0x800000n, rw),
  range(0xffffffffa0000000n, 0x4000n, rx),
  range(0xffffffffff5fb000n, 0x1000n, rw),
]

const banner = new TextEncoder().encode('Linux version 6.1.119-tut (ana@laptop) (gcc 12.2.0) #3 Sat Nov 28\n\0')

/** Bytes that look like something and never the same on two pages. */
function byteAt(address: bigint, written: ReadonlyMap<bigint, number>): number {
  const own = written.get(address)
  if (own !== undefined) return own
  const inBanner = Number(address - (address < BANNER_PHYSICAL + 0x1000n ? BANNER_PHYSICAL : BANNER))
  if (inBanner >= 0 && inBanner < banner.length) return banner[inBanner]
  const mixed = (Number(address & 0xffffffn) * 2654435761) >>> 0
  return (mixed >>> 28) % 3 === 0 ? 0 : (mixed >>> 11) & 0xff
}

export function fakeRead(
  space: 'physical' | 'virtual',
  address: bigint,
  length: number,
  written: ReadonlyMap<bigint, number>,
): MemoryRead {
  const bytes = new Uint8Array(length)
  const holes: { offset: number; length: number; why: 'unmapped' | 'not-ram' }[] = []
  for (let offset = 0; offset < length; offset++) {
    const at = address + BigInt(offset)
    const there = space === 'physical' ? at < 0x80000000n : fakeRanges.some(({ start, end }) => at >= start && at < end)
    if (there) bytes[offset] = byteAt(at, written)
    else if (holes.at(-1)?.offset === offset - (holes.at(-1)?.length ?? 0)) holes[holes.length - 1].length++
    else holes.push({ offset, length: 1, why: space === 'physical' ? 'not-ram' : 'unmapped' })
  }
  return { bytes, holes }
}

export function fakeWalk(address: bigint): PageWalk {
  const found = fakeRanges.find(({ start, end }) => address >= start && address < end)
  const at = (shift: bigint) => Number((address >> shift) & 511n)
  const user = address < 1n << 47n
  const flags = ['present', 'writable', ...(user ? ['user'] : []), 'accessed']
  const level = (name: 'PML4E' | 'PDPTE' | 'PDE', shift: bigint, table: bigint) => ({
    name,
    index: at(shift),
    at: table + BigInt(at(shift) * 8),
    value: table + 0x1067n,
    flags,
    target: table + 0x1000n,
  })
  const levels: PageWalk['levels'] = [level('PML4E', 39n, 0x2a0e000n), level('PDPTE', 30n, 0x2a15000n)]
  if (found === undefined) {
    const dead = { ...level('PDE', 21n, 0x2a16000n), value: 0n, flags: [], target: undefined }
    const result = { kind: 'not-present', level: 2 } as const
    return { address, mode: '4-level', cr3: 0x2a0e000n, levels: [...levels, dead], result }
  }
  const large = found.pageBytes.most > 4096
  const last = {
    ...level('PDE', 21n, 0x2a16000n),
    flags: [
      ...flags,
      'dirty',
      'large page',
      ...(user ? [] : ['global']),
      ...(found.rights.kernel.execute ? [] : ['no-execute']),
    ],
  }
  const pte = { ...level('PDE', 12n, 0x2a17000n), name: 'PTE' as const, flags: [...flags, 'dirty'] }
  return {
    address,
    mode: '4-level',
    cr3: 0x2a0e000n,
    levels: large ? [...levels, last] : [...levels, level('PDE', 21n, 0x2a16000n), pte],
    result: {
      kind: 'mapped',
      physical: address & 0xfffffffn,
      pageBytes: found.pageBytes.most,
      rights: found.rights,
      global: found.global,
      backing: 'ram',
    },
  }
}

export function fakeRegisters(changed: ReadonlyMap<string, bigint>): RegisterFile {
  const general = [
    'rax',
    'rbx',
    'rcx',
    'rdx',
    'rsi',
    'rdi',
    'rbp',
    'rsp',
    'r8',
    'r9',
    'r10',
    'r11',
    'r12',
    'r13',
    'r14',
    'r15',
  ]
  const register = (name: string, group: RegisterValue['group'], value: bigint, flags: readonly string[] = []) => ({
    name,
    group,
    bits: group === 'segment' ? 16 : 64,
    value: changed.get(name) ?? value,
    flags,
    settable: group === 'general',
  })
  return {
    registers: [
      register('rip', 'general', TEXT + 0x24n),
      ...general.map((name, index) =>
        register(name, 'general', index % 3 === 0 ? 0n : DIRECT + BigInt(index * 0x1008)),
      ),
      register('rflags', 'general', 0x246n, ['PF', 'ZF', 'IF']),
      register('cs', 'segment', 0x10n, ['DPL 0', 'code', 'readable', 'accessed', '64-bit']),
      register('ss', 'segment', 0x18n, ['DPL 0', 'data', 'writable', 'accessed', '32-bit']),
      register('cr0', 'control', 0x80050033n, ['PE', 'MP', 'ET', 'NE', 'WP', 'AM', 'PG']),
      register('cr2', 'control', 0x7ffff7dc1000n),
      register('cr3', 'control', 0x2a0e000n),
      register('cr4', 'control', 0x6f0n, ['PSE', 'PAE', 'MCE', 'PGE', 'OSFXSR', 'OSXMMEXCPT']),
      register('efer', 'system', 0xd01n, ['SCE', 'LME', 'LMA', 'NXE']),
    ],
    at: TEXT + 0x24n,
    cpl: 0,
    codeBits: 64,
  }
}

export const fakeSymbols: readonly SymbolHit[] = [
  { name: '_text', address: TEXT },
  { name: 'startup_64', address: TEXT },
  { name: 'do_syscall_64', address: TEXT + 0x20n },
  { name: 'linux_banner', address: BANNER },
  { name: 'linux_proc_banner', address: BANNER - 0x40n },
]

const program: readonly (readonly [string, number[], string?])[] = [
  ['push rbp', [0x55], 'do_syscall_64'],
  ['mov rbp, rsp', [0x48, 0x89, 0xe5]],
  ['mov rax, [rdi+78h]', [0x48, 0x8b, 0x47, 0x78]],
  ['cmp rax, 1C3h', [0x48, 0x3d, 0xc3, 0x01, 0, 0]],
  ['ja short do_syscall_64+18h', [0x77, 0x06]],
  ['call sys_memcpy', [0xe8, 0x11, 0x22, 0x33, 0]],
  ['pop rbp', [0x5d]],
  ['ret', [0xc3]],
]

export function fakeCode(from: bigint, count: number): DisassembledLine[] {
  const lines: DisassembledLine[] = []
  let address = from
  for (let index = 0; index < count; index++) {
    const [text, bytes, label] = program[index % program.length]
    const isCall = text.startsWith('call')
    lines.push({
      address,
      bytes: Uint8Array.from(bytes),
      text,
      ...(isCall ? { target: TEXT + 0x400n } : {}),
      ...(label === undefined ? {} : { label }),
    })
    address += BigInt(bytes.length)
  }
  return lines
}
