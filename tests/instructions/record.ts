// npm run vectors:record [-- <family> ...]: runs every case on this CPU and writes the hashes that are not committed yet.
// Where committed hashes differ from this CPU's, it says so and keeps the committed ones (--force replaces them): either the
// generator changed, or the CPUs differ in something that the form's masks must leave out.
import { families, formsOf } from './families.ts'
import type { Family } from './form.ts'
import { hostFeatures, NativeMachine } from './native.ts'
import { differingBatches, type FamilyVectors, hashForm, readVectors, writeVectors } from './vectors.ts'

function recordFamily(family: Family, native: NativeMachine, force: boolean): number {
  const committed = readVectors(family.name) ?? {}
  const recorded: FamilyVectors = {}
  let differing = 0
  for (const form of formsOf(family)) {
    const hashes = hashForm(form, native)
    const again = hashForm(form, native)
    if (hashes !== again) {
      console.log(
        `${family.name}: "${form.id}" differs between two runs (batches ${differingBatches(hashes, again).join(' ')})`,
      )
      differing++
    }
    const old = committed[form.id]
    recorded[form.id] = old === undefined || force ? hashes : old
    if (old === undefined || old === hashes) continue
    differing++
    const batches = differingBatches(old, hashes).join(' ')
    console.log(`${family.name}: "${form.id}" differs from the committed hashes in batches ${batches}`)
  }
  writeVectors(family.name, recorded)
  return differing
}

function main(): void {
  const words = process.argv.slice(2)
  const force = words.includes('--force')
  const names = words.filter((word) => !word.startsWith('--'))
  const features = hostFeatures()
  const native = new NativeMachine()
  let differing = 0
  try {
    for (const family of families) {
      if (names.length > 0 && !names.includes(family.name)) continue
      if (family.feature && !features.has(family.feature)) {
        console.log(`${family.name}: this CPU has no ${family.feature}; nothing recorded`)
        continue
      }
      differing += recordFamily(family, native, force)
    }
  } finally {
    native.close()
  }
  const count = families.reduce((sum, family) => sum + formsOf(family).length, 0)
  console.log(`${count} forms known, ${differing} differ`)
  process.exitCode = differing === 0 ? 0 : 1
}

main()
