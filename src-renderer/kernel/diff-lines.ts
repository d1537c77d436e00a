/** A unified diff, line by line, for the eye. */
export interface DiffLine {
  readonly kind: 'file' | 'hunk' | 'add' | 'remove' | 'same'
  readonly text: string
}

export function diffLines(diff: string): readonly DiffLine[] {
  // The old file's name says nothing that the new one's does not.
  const lines = diff.split('\n').filter((line) => !line.startsWith('--- a/') && !line.startsWith('diff '))
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line) => {
    if (line.startsWith('+++ ')) return { kind: 'file', text: line.slice(4).replace(/^b\//, '') }
    if (line.startsWith('--- ')) return { kind: 'hunk', text: line }
    if (line.startsWith('@@')) return { kind: 'hunk', text: line }
    if (line.startsWith('+')) return { kind: 'add', text: line.slice(1) }
    if (line.startsWith('-')) return { kind: 'remove', text: line.slice(1) }
    return { kind: 'same', text: line.slice(1) }
  })
}

/** `void __user *src, unsigned long len` -> the parameters, commas within parentheses left alone. */
export function splitParameters(text: string): readonly string[] {
  const parts = ['']
  let depth = 0
  for (const letter of text) {
    depth += letter === '(' ? 1 : letter === ')' ? -1 : 0
    if (letter === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += letter
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '' && part !== 'void')
}
