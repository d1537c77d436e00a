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
