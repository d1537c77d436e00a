/** Places that give a system call its number: the x86 tables and the generic one. */
import type { Facts } from './facts.ts'
import { UNISTD, unistdNumbers } from './facts.ts'
import { backOverBlanks, insertAfter, lineOf, removeLines } from './lines.ts'
import { done, missing, wrong, type Finding, type Place } from './place.ts'
import {
  entries32,
  entry64,
  formatRow,
  lineBefore,
  rowsOf,
  TABLE_32,
  TABLE_64,
  X32_FIRST,
  X32_LAST,
  type TableRow,
} from './table.ts'

function numberProblem(row: TableRow, rows: readonly TableRow[]): string | undefined {
  if (row.number >= X32_FIRST && row.number <= X32_LAST) {
    return `number ${row.number} lies in x32's range (${X32_FIRST} to ${X32_LAST}); add new calls behind the last line of the first part, not at the end of the file`
  }
  const clash = rows.find((other) => other !== row && other.number === row.number && other.abi !== 'x32')
  if (clash !== undefined) return `number ${row.number} is taken by ${clash.name} (line ${clash.line}); take a free one`
  return undefined
}

function checkTable(facts: Facts): Finding {
  const { rows64, name, stubs, number } = facts
  const row = rows64.find((found) => found.name === name)
  if (row === undefined) {
    return missing(`add the line "${number} common ${name} ${entry64(name, stubs)}"`, lineBefore(rows64, number))
  }
  const twice = rows64.find((other) => other.name === name && other.line !== row.line && other.abi !== 'x32')
  const wanted = entry64(name, stubs)
  const problem =
    numberProblem(row, rows64) ??
    (twice === undefined ? undefined : `${name} stands twice: in line ${row.line} and in line ${twice.line}`) ??
    (row.abi === 'x32' ? `the ABI is x32, so 64-bit programs cannot call it; write common` : undefined) ??
    (row.abi !== 'common' && row.abi !== '64' ? `"${row.abi}" is no ABI of this table; write common` : undefined) ??
    (row.entry === '' ? `the third column is missing; without ${wanted} the call stays unimplemented` : undefined) ??
    (row.entry !== wanted ? `the entry point is ${row.entry}; in this tree it has to be ${wanted}` : undefined)
  return problem === undefined ? done(`number ${row.number}`, row.line, row.text) : wrong(problem, row.line, row.text)
}

function removeRow(facts: Facts, file: string): void {
  const text = facts.files.need(file)
  const row = rowsOf(text).find((found) => found.name === facts.name)
  if (row !== undefined) facts.files.plan(file, removeLines(text, row.line, row.line))
}

const table: Place = {
  id: 'table',
  title: '64-bit system-call table',
  file: () => TABLE_64,
  check: checkTable,
  add({ files, rows64, number, name, stubs }) {
    const row = formatRow(number, 'common', name, entry64(name, stubs))
    files.plan(TABLE_64, insertAfter(files.need(TABLE_64), lineBefore(rows64, number), [row]))
  },
  remove: (facts) => removeRow(facts, TABLE_64),
}

function checkTable32(facts: Facts): Finding {
  const { rows32, name, number, compat, stubs } = facts
  const row = rows32.find((found) => found.name === name)
  const [entry, forCompat] = entries32(name, compat, stubs)
  const wanted = `${number} i386 ${name} ${entry}${forCompat === undefined ? '' : ` ${forCompat}`}`
  if (row === undefined)
    return missing(`add the line "${wanted}"; without it 32-bit programs get ENOSYS`, lineBefore(rows32, number))
  const problem =
    numberProblem(row, rows32) ??
    (row.abi !== 'i386' ? `the ABI of this table is always i386, not ${row.abi}` : undefined) ??
    (row.entry !== entry ? `the entry point is ${row.entry || 'missing'}; it has to be ${entry}` : undefined) ??
    (row.number !== number
      ? `number ${row.number} here, ${number} in the 64-bit table; new calls have the same number in both`
      : undefined) ??
    (row.compat !== forCompat
      ? `the last column is ${row.compat ?? 'empty'}; it has to be ${forCompat ?? 'empty'}`
      : undefined)
  return problem === undefined ? done(`number ${row.number}`, row.line, row.text) : wrong(problem, row.line, row.text)
}

const table32: Place = {
  id: 'table32',
  title: '32-bit system-call table',
  file: () => TABLE_32,
  needed: (facts) => facts.i386,
  check: checkTable32,
  add({ files, rows32, number, name, stubs, compat }) {
    const [entry, forCompat] = entries32(name, compat, stubs)
    const row = formatRow(number, 'i386', name, entry, forCompat)
    files.plan(TABLE_32, insertAfter(files.need(TABLE_32), lineBefore(rows32, number), [row]))
  },
  remove: (facts) => removeRow(facts, TABLE_32),
}

const numberLine = (name: string) => new RegExp(`^[ \\t]*#[ \\t]*define[ \\t]+__NR_${name}[ \\t]`)
const useLine = (name: string) => new RegExp(`^[ \\t]*__S(?:YSCALL|C_\\w+)\\(__NR_${name}\\s*,`)

function checkUnistd({ files, name, number, compat }: Facts): Finding {
  const text = files.need(UNISTD)
  const defined = unistdNumbers(text).get(name)
  const line = lineOf(text, numberLine(name))
  const use = lineOf(text, useLine(name))
  const count = lineOf(text, /^#undef __NR_syscalls/)
  if (line === undefined && use === undefined) {
    return missing(`add "#define __NR_${name} ${number}" and ${usage(name, compat)}`, count)
  }
  if (line === undefined) return wrong(`"#define __NR_${name} ${number}" is missing before line ${use}`, use)
  const shown = text.split('\n')[line - 1]
  if (defined !== number)
    return wrong(`__NR_${name} is ${defined ?? 'no number'} here and ${number} in the table`, line, shown)
  if (use === undefined) return wrong(`${usage(name, compat)} is missing behind it`, line, shown)
  const body = text.split('\n')[use - 1]
  if (!new RegExp(`\\bsys_${name}\\b`).test(body)) return wrong(`line ${use} does not name sys_${name}`, use, body)
  const clash = [...unistdNumbers(text)].find(([other, value]) => other !== name && value === number)
  if (clash !== undefined) return wrong(`number ${number} is also ${clash[0]}'s in this file`, line, shown)
  return done(`number ${number}`, line, shown)
}

function usage(name: string, compat: boolean): string {
  return compat ? `__SC_COMP(__NR_${name}, sys_${name}, compat_sys_${name})` : `__SYSCALL(__NR_${name}, sys_${name})`
}

const unistd: Place = {
  id: 'unistd',
  title: 'generic number',
  file: () => UNISTD,
  check: checkUnistd,
  add({ files, name, number, compat }) {
    const text = files.need(UNISTD)
    const count = lineOf(text, /^#undef __NR_syscalls/) ?? text.split('\n').length
    const lines = ['', `#define __NR_${name} ${number}`, usage(name, compat)]
    files.plan(UNISTD, insertAfter(text, backOverBlanks(text, count), lines))
  },
  remove({ files, name }) {
    let text = files.need(UNISTD)
    for (const pattern of [useLine(name), numberLine(name)]) {
      const line = lineOf(text, pattern)
      if (line !== undefined) text = removeLines(text, line, line)
    }
    files.plan(UNISTD, text)
  },
}

const COUNT = /^#define __NR_syscalls\s+(\d+)/

/** The count that fits the numbers of the file: one more than the last. */
function rightCount(text: string): number {
  return Math.max(...unistdNumbers(text).values()) + 1
}

const unistdCount: Place = {
  id: 'unistd-count',
  title: 'number of system calls',
  file: () => UNISTD,
  check({ files, number }) {
    const text = files.need(UNISTD)
    const line = lineOf(text, COUNT)
    if (line === undefined) return wrong('there is no "#define __NR_syscalls" in this file')
    const shown = text.split('\n')[line - 1]
    const count = Number(COUNT.exec(shown)?.[1])
    const wanted = Math.max(rightCount(text), number + 1)
    if (count === wanted) return done(`${count}`, line, shown)
    if (count < wanted)
      return {
        ...missing(`raise __NR_syscalls from ${count} to ${wanted}, one more than the last number`, line),
        found: shown,
      }
    return wrong(`__NR_syscalls is ${count}, but the last number is ${wanted - 1}; it has to be ${wanted}`, line, shown)
  },
  add({ files, number }) {
    const text = files.need(UNISTD)
    const wanted = Math.max(rightCount(text), number + 1)
    files.plan(
      UNISTD,
      text.replace(/^(#define __NR_syscalls\s+)\d+/m, (_, head: string) => `${head}${wanted}`),
    )
  },
  remove({ files }) {
    const text = files.need(UNISTD)
    files.plan(
      UNISTD,
      text.replace(/^(#define __NR_syscalls\s+)\d+/m, (_, head: string) => `${head}${rightCount(text)}`),
    )
  },
}

export const tablePlaces: readonly Place[] = [table, table32, unistd, unistdCount]
