/** The C text that the scaffold writes, in the kernel's style: 80 columns, tabs of 8, continuation under the parenthesis. */
import { type Parameter } from './c-text.ts'

const WIDTH = 80
const TAB = 8

const declare = ({ type, name }: Parameter) => (type.endsWith('*') ? `${type}${name}` : `${type} ${name}`)

/** `head(` and its words, wrapped; every line but the first is indented to behind the parenthesis. */
function wrapped(head: string, words: readonly string[], tail: string): string[] {
  const indent = '\t'.repeat(Math.floor(head.length / TAB)) + ' '.repeat(head.length % TAB)
  const lines: string[] = []
  let line = head
  let width = head.length
  words.forEach((word, index) => {
    const piece = word + (index === words.length - 1 ? tail : ',')
    const first = width === head.length
    if (!first && width + 1 + piece.length > WIDTH) {
      lines.push(line)
      line = indent + piece
      width = head.length + piece.length
      return
    }
    line += first ? piece : ` ${piece}`
    width += piece.length + (first ? 0 : 1)
  })
  return [...lines, line]
}

export function formatPrototype(functionName: string, parameters: readonly Parameter[]): string[] {
  const words = parameters.length === 0 ? ['void'] : parameters.map(declare)
  return wrapped(`asmlinkage long ${functionName}(`, words, ');')
}

function defineLines(macro: string, name: string, parameters: readonly Parameter[]): string[] {
  // A type and its name stay on one line.
  const words = [name, ...parameters.map((parameter) => `${parameter.type}, ${parameter.name}`)]
  return wrapped(`${macro}${parameters.length}(`, words, ')')
}

const placeholder = [
  '{',
  '\t/* Your code. Until then the call answers as if it were not there. */',
  '\treturn -ENOSYS;',
  '}',
]

export function bodyOf(name: string, parameters: readonly Parameter[]): string[] {
  return [...defineLines('SYSCALL_DEFINE', name, parameters), ...placeholder]
}

/** 32-bit programs pass 32-bit longs and pointers; include/linux/compat.h has their types. */
const compatTypes: Readonly<Record<string, string>> = {
  'unsigned long': 'compat_ulong_t',
  long: 'compat_long_t',
  size_t: 'compat_size_t',
  ssize_t: 'compat_ssize_t',
}

export function compatParameters(parameters: readonly Parameter[]): Parameter[] {
  return parameters.map((parameter) => ({ ...parameter, type: compatTypes[parameter.type] ?? parameter.type }))
}

export function compatBodyOf(name: string, parameters: readonly Parameter[]): string[] {
  const define = defineLines('COMPAT_SYSCALL_DEFINE', name, compatParameters(parameters))
  return ['#ifdef CONFIG_COMPAT', '#include <linux/compat.h>', '', ...define, ...placeholder, '#endif']
}
