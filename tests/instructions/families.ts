// All families, and their forms by name.
import { expandFamily, type Family, type Form } from './form.ts'
import { integer } from './forms/integer.ts'

export const CASES_PER_FORM = 200

export const families: readonly Family[] = [...integer]

export function formsOf(family: Family): Form[] {
  return expandFamily(family)
}

export function findForms(pattern: string): Form[] {
  const all = families.flatMap((family) => formsOf(family))
  const exact = all.filter((form) => form.id === pattern)
  return exact.length > 0 ? exact : all.filter((form) => form.id.startsWith(pattern))
}
