/**
 * The system-call tables of x86 (arch/x86/entry/syscalls/*.tbl): number, ABI, name, entry point, entry point for 32-bit programs.
 * Up to 5.6 the entry points carried the prefix of their stub (`__x64_sys_read`); since 5.7 the build adds it.
 */

export const TABLE_64 = 'arch/x86/entry/syscalls/syscall_64.tbl'
export const TABLE_32 = 'arch/x86/entry/syscalls/syscall_32.tbl'

/** Numbers 512 to 547 mean something else to x32 programs; the table's own comment forbids them. */
export const X32_FIRST = 512
export const X32_LAST = 547

export interface TableRow {
  readonly line: number
  readonly number: number
  readonly abi: string
  readonly name: string
  readonly entry: string
  readonly compat?: string
  readonly text: string
}

const ROW = /^(\d+)\s+(\S+)\s+(\S+)(?:\s+(\S+))?(?:\s+(\S+))?/

export function rowsOf(table: string): TableRow[] {
  return table.split('\n').flatMap((text, index) => {
    const match = ROW.exec(text)
    if (match === null) return []
    const [, number, abi, name, entry = '', compat] = match
    const row = { line: index + 1, number: Number(number), abi, name, entry, text }
    return [compat === undefined || compat === '-' ? row : { ...row, compat }]
  })
}

/** Do this tree's rows name the stubs (`__x64_sys_…`, 5.6) or the functions (`sys_…`)? */
export function namesStubs(rows: readonly TableRow[]): boolean {
  const stubs = rows.filter((row) => /^__(x64|ia32)_/.test(row.entry) || /^__ia32_/.test(row.compat ?? ''))
  return stubs.length * 2 > rows.length
}

export function entry64(name: string, stubs: boolean): string {
  return `${stubs ? '__x64_' : ''}sys_${name}`
}

/** Entry point and compat entry point of a row of the 32-bit table. */
export function entries32(name: string, compat: boolean, stubs: boolean): readonly [string, string | undefined] {
  if (stubs) return [`sys_${name}`, `__ia32_${compat ? 'compat_' : ''}sys_${name}`]
  return [`sys_${name}`, compat ? `compat_sys_${name}` : undefined]
}

/** The smallest number above all that are in use; new calls have had the same number on (nearly) all architectures since 5.0. */
export function nextFree(inUse: readonly number[]): number {
  const below = Math.max(-1, ...inUse.filter((number) => number < X32_FIRST)) + 1
  return below < X32_FIRST ? below : Math.max(X32_LAST, ...inUse) + 1
}

/** The line after which the row `number` belongs: behind the nearest smaller number of the part below (or above) x32's range. */
export function lineBefore(rows: readonly TableRow[], number: number): number {
  const part = number < X32_FIRST ? rows.filter((row) => row.number < X32_FIRST) : rows
  const smaller = part.filter((row) => row.number < number)
  const last = smaller.reduce((best, row) => (row.number >= best.number ? row : best), smaller[0])
  return last?.line ?? 0
}

const TAB = 8
/** Columns as the tables have them: tabs up to 8, 16, 40 and 72. */
export function formatRow(number: number, abi: string, name: string, entry: string, compat?: string): string {
  const pad = (text: string, width: number) => text + '\t'.repeat(Math.max(1, Math.ceil((width - text.length) / TAB)))
  const head = `${pad(String(number), 8)}${pad(abi, 8)}${pad(name, 24)}`
  return compat === undefined ? head + entry : `${head}${pad(entry, 32)}${compat}`
}
