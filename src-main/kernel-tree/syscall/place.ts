import type { PlaceId, SyscallPlace } from '../../contract/kernel-tree.ts'
import type { Facts } from './facts.ts'

export type Finding = Pick<SyscallPlace, 'status' | 'sentence' | 'line' | 'found'>

/** One of the places that a system call needs. */
export interface Place {
  readonly id: PlaceId
  readonly title: string
  file(facts: Facts): string
  /** Places that a call needs only when it was asked for, or when a part of it is there. */
  needed?(facts: Facts): boolean
  check(facts: Facts): Finding
  /** Writes what is missing into the plan (facts.files). */
  add(facts: Facts): void
  /** Takes the call out of the plan's file. */
  remove(facts: Facts): void
}

export const done = (sentence: string, line?: number, found?: string): Finding => finding('done', sentence, line, found)
export const missing = (sentence: string, line?: number): Finding => finding('missing', sentence, line)
export const wrong = (sentence: string, line?: number, found?: string): Finding =>
  finding('inconsistent', sentence, line, found)

function finding(status: SyscallPlace['status'], sentence: string, line?: number, found?: string): Finding {
  return {
    status,
    sentence,
    ...(line === undefined ? {} : { line }),
    ...(found === undefined ? {} : { found: found.trim() }),
  }
}

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
