/** Does a struct have the same layout for 64-bit and for 32-bit programs (i386 ABI: long and pointers 4 bytes, 64-bit numbers aligned to 4)? */
import { matching, withoutComments } from './c-text.ts'
import type { TreeFiles } from './facts.ts'

interface Layout {
  readonly size: number
  readonly align: number
}

/** Type -> [size, alignment] on x86-64 and on i386. */
const scalars: Readonly<Record<string, readonly [Layout, Layout]>> = (() => {
  const both = (size: number, align32 = size): readonly [Layout, Layout] => [
    { size, align: size },
    { size, align: align32 },
  ]
  const word: readonly [Layout, Layout] = [
    { size: 8, align: 8 },
    { size: 4, align: 4 },
  ]
  const wide = both(8, 4)
  const names = (list: string, layout: readonly [Layout, Layout]) =>
    Object.fromEntries(list.split('|').map((name) => [name, layout]))
  return {
    ...names('char|signed char|unsigned char|u8|s8|__u8|__s8|uint8_t|int8_t|bool|_Bool', both(1)),
    ...names('short|unsigned short|u16|s16|__u16|__s16|uint16_t|int16_t|__le16|__be16', both(2)),
    ...names(
      'int|unsigned|unsigned int|signed int|u32|s32|__u32|__s32|uint32_t|int32_t|pid_t|uid_t|gid_t|__le32|__be32|float',
      both(4),
    ),
    ...names(
      'long|unsigned long|size_t|ssize_t|__kernel_size_t|__kernel_long_t|__kernel_ulong_t|uintptr_t|intptr_t|off_t',
      word,
    ),
    ...names('long long|unsigned long long|u64|s64|__u64|__s64|uint64_t|int64_t|loff_t|double|__le64|__be64', wide),
    ...names('__aligned_u64|__aligned_s64', both(8)),
    '*': word,
  }
})()

interface Member {
  readonly type: string
  readonly name: string
  readonly count: number
}

function membersOf(body: string): Member[] | undefined {
  if (/[{}]|:\s*\d/.test(body)) return undefined
  const members: Member[] = []
  for (const declaration of body.split(';').map((text) =>
    text
      .replaceAll(/\b(__user|const|volatile|__packed)\b/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim(),
  )) {
    if (declaration === '') continue
    const match = /^(.*?[\s*])(\w+)((?:\s*\[\w+\])*)$/.exec(declaration)
    if (match === null) return undefined
    const sizes = [...match[3].matchAll(/\[(\w+)\]/g)].map(([, text]) => Number(text))
    if (sizes.some((size) => Number.isNaN(size))) return undefined
    members.push({ type: match[1].trim(), name: match[2], count: sizes.reduce((product, size) => product * size, 1) })
  }
  return members
}

function layoutOf(members: readonly Member[], which: 0 | 1): { size: number; offsets: number[] } | undefined {
  let size = 0
  let most = 1
  const offsets: number[] = []
  for (const { type, count } of members) {
    const normal = type.replace(/\b(long|short) int\b/, '$1')
    const layout = scalars[normal.endsWith('*') ? '*' : normal]?.[which]
    if (layout === undefined) return undefined
    const at = Math.ceil(size / layout.align) * layout.align
    offsets.push(at)
    size = at + layout.size * count
    most = Math.max(most, layout.align)
  }
  return { size: Math.ceil(size / most) * most, offsets }
}

function bodyOfStruct(tag: string, code: string): string | undefined {
  const match = new RegExp(`\\bstruct\\s+${tag}\\s*\\{`).exec(code)
  if (match === null) return undefined
  const open = match.index + match[0].length - 1
  const close = matching(code, open)
  return close < 0 ? undefined : code.slice(open + 1, close)
}

/** The remark on `struct tag`; undefined when both layouts are equal or the struct cannot be read. */
export function layoutRemark(tag: string, code: string, files: TreeFiles): string | undefined {
  const headers = [...code.matchAll(/^[ \t]*#[ \t]*include[ \t]*[<"]([\w/.-]+)[>"]/gm)].flatMap(([, name]) => [
    `include/${name}`,
    `include/uapi/${name}`,
  ])
  const texts = [code, ...headers.map((file) => withoutComments(files.read(file) ?? ''))]
  const body = texts.map((text) => bodyOfStruct(tag, text)).find((found) => found !== undefined)
  const members = body === undefined ? undefined : membersOf(body)
  if (members === undefined) return undefined
  const wide = layoutOf(members, 0)
  const narrow = layoutOf(members, 1)
  if (wide === undefined || narrow === undefined) return undefined
  const differs = members.find((_, index) => wide.offsets[index] !== narrow.offsets[index])
  if (differs === undefined && wide.size === narrow.size) return undefined
  const where = differs === undefined ? '' : `, ${differs.name} stands elsewhere`
  return `struct ${tag} has ${wide.size} bytes for 64-bit and ${narrow.size} for 32-bit programs${where}; give it the same layout in both (__u64 members, aligned), or add COMPAT_SYSCALL_DEFINE`
}
