/** What a good reviewer would say about the body of a system call. Each rule is one function over the parsed body. */
import type { ReviewRemark } from '../../contract/kernel-tree.ts'
import { definitionsIn, lineAt, withoutComments, type Definition, type Parameter } from './c-text.ts'
import { TreeFiles } from './facts.ts'
import { allocated, leaksIn, nullChecked } from './leaks.ts'
import { allStatements, statementsOf, type Statement } from './statements.ts'
import { layoutRemark } from './struct-layout.ts'

interface Body {
  readonly definition: Definition
  /** The file without comments and literals. */
  readonly code: string
  readonly statements: readonly Statement[]
  readonly all: readonly Statement[]
  readonly files: TreeFiles
}

interface Hit {
  /** Position in the file. */
  readonly at: number
  readonly sentence: string
  readonly severity?: ReviewRemark['severity']
}

interface Rule {
  readonly name: string
  readonly find: (body: Body) => readonly Hit[]
}

const isPointer = ({ type }: Parameter) => type.endsWith('*')
const isUser = ({ type }: Parameter) => /\b__user\b/.test(type) || type === 'compat_uptr_t'
const pointers = (body: Body) => body.definition.parameters.filter(isPointer)

/** Positions of all matches inside the body. */
function matches(body: Body, pattern: string): RegExpExecArray[] {
  const { open, close } = body.definition
  return [...body.code.matchAll(new RegExp(pattern, 'g'))].filter((match) => match.index > open && match.index < close)
}

const textOf = (statement: Statement): string => {
  if (statement.kind === 'expression') return statement.text
  if (statement.kind === 'return') return statement.value
  return statement.kind === 'if' || statement.kind === 'loop' ? statement.condition : ''
}

const kernelOnly =
  'memcpy|memmove|memset|memcmp|strcpy|strncpy|strscpy|strlcpy|strcat|strncat|strlen|strnlen|strcmp|strncmp|strchr|kstrdup|kmemdup|sprintf|snprintf'

const userDereferenced: Rule = {
  name: 'user-pointer-dereferenced',
  find: (body) =>
    pointers(body).flatMap(({ name }) => {
      // No product: a pointer cannot be multiplied. `&p->member` is only an address, `sizeof(*p)` reads nothing, get_user(v, p + 1) is right.
      const harmless = /(?:&\s*|\b(?:sizeof|typeof|__alignof__|offsetof|(?:unsafe_|__)?(?:get|put)_user)\s*\([^;]*)$/
      const direct = matches(body, `\\*\\s*${name}\\b|(?<![.>\\w])${name}\\s*(?:->|\\[)`).filter(
        (match) => !harmless.test(body.code.slice(Math.max(0, match.index - 60), match.index)),
      )
      const passed = matches(body, `\\b(?:${kernelOnly})\\s*\\((?:[^;()]*,)?\\s*${name}\\b`)
      return [...direct, ...passed].map((match) => ({
        at: match.index,
        sentence: `${name} comes from user space and is used as if it were kernel memory; a bad address then stops the kernel instead of giving EFAULT: copy it with copy_from_user or copy_to_user`,
      }))
    }),
}

const missingUser: Rule = {
  name: 'missing-__user',
  find: ({ definition, code }) =>
    definition.parameters
      .filter((parameter) => isPointer(parameter) && !isUser(parameter))
      .map(({ name, type }) => ({
        at: Math.max(0, code.lastIndexOf(name, definition.open)),
        sentence: `${name} is a user pointer: write ${type.replace(/\s*(\*+)$/, ' __user $1')}, so that sparse can check its use`,
      })),
}

/** Names of the functions that a file defines. */
function functionsIn(code: string): ReadonlySet<string> {
  return new Set([...code.matchAll(/^(?:[\w*]+[\s*]+)+(\w+)\s*\([^;{}]*\)\s*\{/gm)].map(([, name]) => name))
}

const leak: Rule = {
  name: 'leak',
  find: ({ statements, code }) =>
    leaksIn(statements, functionsIn(code)).map(({ variable, at }) => ({
      at,
      sentence: `${variable} is not freed on this path; every such call costs the kernel its memory for good: kfree(${variable}) before the return, or goto a label that does`,
    })),
}

const unchecked: Rule = {
  name: 'allocation-not-checked',
  find: ({ all }) =>
    all.flatMap((statement) => {
      const made = allocated(textOf(statement))
      if (made === undefined || statement.kind === 'if') return []
      const tested = all.some(
        (other) =>
          other.kind === 'if' && new RegExp(`\\b${made.variable}\\b`).test(other.condition) && other.at > statement.at,
      )
      const wanted = /user|strndup/.test(made.call) ? `IS_ERR(${made.variable})` : `!${made.variable}`
      return tested
        ? []
        : [{ at: statement.at, sentence: `${made.call} can fail; test ${wanted} before ${made.variable} is used` }]
    }),
}

const wrongTest: Rule = {
  name: 'wrong-allocation-test',
  find: ({ all }) =>
    all.flatMap((statement) => {
      const made = allocated(textOf(statement))
      if (made === undefined || !/memdup_user|strndup_user/.test(made.call)) return []
      const test = all.find(
        (other) =>
          other.kind === 'if' && other.at > statement.at && nullChecked(other.condition)?.variable === made.variable,
      )
      if (test?.kind !== 'if' || test.condition.includes('IS_ERR')) return []
      return [
        {
          at: test.at,
          sentence: `${made.call} never returns NULL but an error pointer: test IS_ERR(${made.variable}) and return PTR_ERR(${made.variable})`,
        },
      ]
    }),
}

const uncheckedLength: Rule = {
  name: 'unchecked-length',
  find: (body) =>
    body.definition.parameters
      .filter((parameter) => !isPointer(parameter))
      .flatMap(({ name }) => {
        const allocation = body.all.find((statement) => {
          const text = textOf(statement)
          const made = allocated(text)
          return made !== undefined && new RegExp(`\\b${made.call}\\s*\\([^;]*\\b${name}\\b`).test(text)
        })
        if (allocation === undefined) return []
        const bounded = body.all.some((statement) => {
          if (statement.at >= allocation.at) return false
          const text = textOf(statement)
          return new RegExp(
            `\\b${name}\\s*(?:<=?|>=?)|(?:<=?|>=?)\\s*${name}\\b|\\b(?:min|clamp)(?:_t)?\\s*\\([^;]*\\b${name}\\b`,
          ).test(text)
        })
        return bounded
          ? []
          : [
              {
                at: allocation.at,
                sentence: `any program can ask for any ${name}: a large one takes the kernel's memory or makes the page allocator warn (over 4 MiB); refuse it with E2BIG or EINVAL first`,
              },
            ]
      }),
}

const signedLength: Rule = {
  name: 'signed-length',
  find: (body) =>
    body.definition.parameters
      .filter(({ type }) => /^(int|long|short|signed .*|s32|s64|loff_t)$/.test(type))
      .flatMap(({ name, type }) =>
        matches(body, `\\b(?:copy_(?:from|to)_user|k[mz]alloc|vmalloc)\\s*\\([^;]*\\b${name}\\b`)
          .slice(0, 1)
          .filter(() => matches(body, `\\b${name}\\s*<=?\\s*[01]\\b`).length === 0)
          .map((match) => ({
            at: match.index,
            sentence: `${name} is a signed ${type}; a negative one becomes a huge size: make it size_t or unsigned`,
          })),
      ),
}

const copies = '(?:copy_from_user|copy_to_user|clear_user|get_user|put_user)'

const ignoredCopy: Rule = {
  name: 'copy-not-checked',
  find: ({ all }) =>
    all
      .filter(
        (statement) =>
          statement.kind === 'expression' && new RegExp(`^(?:\\(void\\)\\s*)?${copies}\\s*\\(`).test(statement.text),
      )
      .map(({ at }) => ({ at, sentence: 'the result is thrown away; when not everything was copied, return -EFAULT' })),
}

const copyAsError: Rule = {
  name: 'copy-result-returned',
  find: ({ all }) =>
    all
      .filter(
        (statement) =>
          statement.kind === 'return' && /^(?:copy_(?:from|to)_user|clear_user)\s*\([^?]*$/.test(statement.value),
      )
      .map(({ at }) => ({
        at,
        sentence: 'this returns how many bytes were NOT copied, a positive number; return -EFAULT when it is not 0',
      })),
}

const positiveError: Rule = {
  name: 'positive-errno',
  find: ({ all }) =>
    all.flatMap((statement) => {
      const name = statement.kind === 'return' ? /^\(?(E[A-Z0-9]{2,})\)?$/.exec(statement.value)?.[1] : undefined
      return name === undefined
        ? []
        : [{ at: statement.at, sentence: `errors are negative in the kernel: return -${name}` }]
    }),
}

const argumentCount: Rule = {
  name: 'argument-count',
  find: ({ definition: { declared, parameters, odd, split, open } }) =>
    odd || split || declared === parameters.length
      ? []
      : [
          {
            at: open,
            sentence: `SYSCALL_DEFINE${declared} with ${parameters.length} parameters; write SYSCALL_DEFINE${parameters.length}`,
          },
        ],
}

const structLayout: Rule = {
  name: 'struct-layout-i386',
  find: ({ definition, code, files }) =>
    definition.parameters.flatMap(({ type, name }) => {
      const tag = /\bstruct (\w+)\b/.exec(type)?.[1]
      // Who wrote an entry for 32-bit programs knows.
      const answered = new RegExp(`\\bCOMPAT_SYSCALL_DEFINE\\d\\s*\\(\\s*${definition.name}\\b`).test(code)
      const sentence = tag === undefined || definition.compat || answered ? undefined : layoutRemark(tag, code, files)
      const at = Math.max(0, code.lastIndexOf(name, definition.open))
      return sentence === undefined ? [] : [{ at, severity: 'question' as const, sentence }]
    }),
}

const rules: readonly Rule[] = [
  argumentCount,
  missingUser,
  userDereferenced,
  leak,
  unchecked,
  wrongTest,
  uncheckedLength,
  signedLength,
  ignoredCopy,
  copyAsError,
  positiveError,
  structLayout,
]

/** Remarks on every system call in the file, or on the one called `only`; in the order of the lines. */
export function reviewText(file: string, text: string, files: TreeFiles, only?: string): ReviewRemark[] {
  const code = withoutComments(text)
  const lines = text.split('\n')
  const remarks = definitionsIn(text)
    .filter(({ name, open }) => open >= 0 && (only === undefined || name === only))
    .flatMap((definition) => {
      const statements = statementsOf(code, definition.open, definition.close)
      const body: Body = { definition, code, statements, all: [...allStatements(statements)], files }
      return rules.flatMap(({ name, find }) =>
        find(body).map(({ at, sentence, severity = 'bug' }) => {
          const line = lineAt(code, at)
          return { rule: name, severity, file, line, sentence, excerpt: (lines[line - 1] ?? '').trim() }
        }),
      )
    })
  return remarks.sort((one, other) => one.line - other.line)
}

export function reviewSource(folder: string, file: string): ReviewRemark[] {
  const files = new TreeFiles(folder)
  return reviewText(file, files.need(file), files)
}
