/** `longmode kernel syscall …`. */
import {
  KernelTreeError,
  type ReviewRemark,
  type ScaffoldPlan,
  type SyscallReport,
  type SyscallRequest,
} from '../../contract/kernel-tree.ts'
import { workbench } from '../../kernel-tree/index.ts'
import { treeOf, treeOptions, type Answer, type Command, type Context } from './command.ts'
import { has, numberOf, valueOf, type Words } from './words.ts'

const callOptions = [
  ...treeOptions,
  { name: 'file', value: 'FILE', help: 'the source of the call; kernel/NAME.c when left out' },
  { name: 'number', value: 'N', help: 'its number; the next free one when left out' },
  { name: 'i386', help: 'also for 32-bit programs' },
  { name: 'compat', help: 'with an entry of its own for 32-bit programs' },
]
const dryRun = { name: 'dry-run', help: 'only show the diff' }

function requestOf(words: Words): SyscallRequest {
  const [name, ...parameters] = words.rest
  if (name === undefined) throw new KernelTreeError('name the system call, like: syscall check memcpy')
  const file = valueOf(words, 'file')
  const number = numberOf(words, 'number')
  return {
    name,
    parameters,
    ...(file === undefined ? {} : { file }),
    ...(number === undefined ? {} : { number }),
    i386: has(words, 'i386'),
    compat: has(words, 'compat'),
  }
}

function remarkLines(remarks: readonly ReviewRemark[]): string[] {
  return remarks.flatMap(({ file, line, severity, sentence, excerpt }) => [
    `${file}:${line}: ${severity}: ${sentence}`,
    `    ${excerpt}`,
  ])
}

const marks = { done: 'ok     ', missing: 'MISSING', inconsistent: 'WRONG  ', 'not-needed': '-      ' }

function reportAnswer(report: SyscallReport): Answer {
  const rows = report.places
    .filter(({ status }) => status !== 'not-needed')
    .map(
      ({ status, title, file, line, sentence }) =>
        `${marks[status]} ${title} (${file}${line === undefined ? '' : `:${line}`}): ${sentence}`,
    )
  const last = report.complete
    ? `${report.name} is complete, number ${report.number}`
    : `${report.name} is not complete; its number is ${report.number}`
  return { json: report, text: [...rows, ...remarkLines(report.remarks), last], exitCode: report.complete ? 0 : 1 }
}

const check: Command = {
  name: 'syscall check',
  operands: 'NAME',
  summary: 'the places that a system call needs, each done, missing or wrong, and a review of its code',
  options: callOptions,
  run: async (context) => reportAnswer(await workbench.checkSyscall(await treeOf(context), requestOf(context.words))),
}

/** Shows the plan, and applies it unless it is a dry run. */
async function carryOut(context: Context, name: string, plan: ScaffoldPlan, did: string): Promise<Answer> {
  const dry = has(context.words, dryRun.name)
  if (!dry) await workbench.applySyscall(await treeOf(context), name, plan)
  const last =
    plan.edits.length === 0
      ? 'nothing to do: everything is in its place'
      : dry
        ? 'nothing was written (--dry-run)'
        : `${did}; "longmode kernel syscall undo" takes it back`
  return { json: { ...plan, written: !dry }, text: [...plan.diff.split('\n').slice(0, -1), last], exitCode: 0 }
}

const add: Command = {
  name: 'syscall add',
  operands: 'NAME ["PARAMETER" …]',
  summary:
    'writes what is missing, shown as a diff: syscall add memcpy "void __user *src" "void __user *dst" "unsigned long len"',
  options: [...callOptions, dryRun],
  run: async (context) => {
    const request = requestOf(context.words)
    const plan = await workbench.planSyscall(await treeOf(context), request)
    return await carryOut(context, request.name, plan, `${request.name} has number ${plan.number}`)
  },
}

const remove: Command = {
  name: 'syscall remove',
  operands: 'NAME',
  summary: 'takes a system call out of the tables and headers; its source file stays',
  options: [...treeOptions, dryRun],
  run: async (context) => {
    const { name } = requestOf(context.words)
    const plan = await workbench.planSyscallRemoval(await treeOf(context), name)
    return await carryOut(context, name, plan, `${name} is out of the tables; its source file was not touched`)
  },
}

const undo: Command = {
  name: 'syscall undo',
  operands: '',
  summary: 'takes back the last "syscall add" or "syscall remove" in this tree',
  options: treeOptions,
  run: async (context) => {
    const record = await workbench.undoSyscall(await treeOf(context))
    return { json: record, text: record.edits.map(({ file }) => `as before: ${file}`), exitCode: 0 }
  },
}

const review: Command = {
  name: 'syscall review',
  operands: 'FILE',
  summary: 'what a reviewer would say about the system calls in a source file',
  options: treeOptions,
  run: async (context) => {
    const [file] = context.words.rest
    if (file === undefined)
      throw new KernelTreeError('name the source, relative to the tree: syscall review kernel/memcpy.c')
    const remarks = await workbench.reviewFile(await treeOf(context), file)
    const text = remarks.length === 0 ? ['no remarks'] : remarkLines(remarks)
    return { json: remarks, text, exitCode: remarks.some(({ severity }) => severity === 'bug') ? 1 : 0 }
  },
}

export const syscallCommands: readonly Command[] = [check, add, remove, undo, review]
