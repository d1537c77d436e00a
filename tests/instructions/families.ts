// All families, and their forms by name.
import { expandFamily, type Family, type Form } from './form.ts'
import { extensions } from './forms/extensions.ts'
import { integer } from './forms/integer.ts'
import { legacyForms } from './forms/legacy.ts'
import { sseFloat } from './forms/sse-float.ts'
import { sseInteger } from './forms/sse-integer.ts'
import { strings } from './forms/string.ts'
import { x87 } from './forms/x87.ts'

export const CASES_PER_FORM = 200

export const families: readonly Family[] = [
  ...integer,
  ...strings,
  ...extensions,
  ...legacyForms,
  ...sseFloat,
  ...sseInteger,
  ...x87,
]

export function formsOf(family: Family): Form[] {
  return expandFamily(family)
}

export function findForms(pattern: string): Form[] {
  const all = families.flatMap((family) => formsOf(family))
  const exact = all.filter((form) => form.id === pattern)
  return exact.length > 0 ? exact : all.filter((form) => form.id.startsWith(pattern))
}
