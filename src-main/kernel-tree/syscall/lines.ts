/** Editing a text by its lines, which count from 1. */

/** Inserts lines behind line `after` (0: at the top). */
export function insertAfter(text: string, after: number, lines: readonly string[]): string {
  const all = text.split('\n')
  all.splice(after, 0, ...lines)
  return all.join('\n')
}

/** Removes lines `from` to `to` (from 1, both included); of two blank lines that meet then, one goes as well. */
export function removeLines(text: string, from: number, to: number): string {
  const all = text.split('\n')
  const blank = (line: number) => all[line - 1]?.trim() === ''
  const both = blank(from - 1) && (blank(to + 1) || to + 1 > all.length)
  all.splice(from - 1, to - from + 1 + (both ? 1 : 0))
  return all.join('\n')
}

/** The line behind which something belongs that stands before line `at` (and before the blank lines in front of it). */
export function backOverBlanks(text: string, at: number): number {
  const all = text.split('\n')
  let line = at - 1
  while (line > 0 && all[line - 1].trim() === '') line--
  return line
}

export function lineOf(text: string, pattern: RegExp): number | undefined {
  const index = text.split('\n').findIndex((line) => pattern.test(line))
  return index < 0 ? undefined : index + 1
}
