/** How many steps a build will have: what is out of date now, or what builds of such a size had before. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { KernelTree } from '../../contract/kernel-tree.ts'
import { treeState, writeWhole } from '../state.ts'
import { readText } from '../tree.ts'
import { builtObjects } from './dependencies.ts'
import { modifiedOf } from '../fast/record.ts'

/** Steps of a build beside compiling: linking, checks, the image. Seen: 40 to 60. */
const OTHER_STEPS = 50

/** Options that are on: a measure of a kernel's size. */
function optionsOn(tree: KernelTree): number {
  return (readText(path.join(tree.output, '.config'))?.match(/^CONFIG_\w+=[ym]$/gm) ?? []).length
}

interface Past {
  readonly options: number
  readonly steps: number
}

const pastFile = () => path.join(treeState('past-builds'), 'full-builds.json')

function pastBuilds(): Past[] {
  return existsSync(pastFile()) ? (JSON.parse(readFileSync(pastFile(), 'utf8')) as Past[]) : []
}

const MOST_PAST = 20
/** A build of fewer steps compiled only a part. */
const LEAST_FULL = 300

/** To be told after a build that succeeded and began without objects. */
export function rememberBuild(tree: KernelTree, steps: number): void {
  if (steps < LEAST_FULL) return
  writeWhole(pastFile(), JSON.stringify([...pastBuilds(), { options: optionsOn(tree), steps }].slice(-MOST_PAST)))
}

export interface Expectation {
  /** undefined: nobody knows. */
  readonly steps?: number
  readonly fromNothing: boolean
}

/** To be asked when the generated headers are up to date. */
export function expectedSteps(tree: KernelTree): Expectation {
  const objects = builtObjects(tree.output).filter(({ object }) => !/^(?:scripts|tools)\//.test(object))
  if (objects.length < LEAST_FULL) {
    const options = optionsOn(tree)
    const past = pastBuilds()
    // The past build of the nearest size tells how many steps an option costs.
    const nearest = past.toSorted(
      (one, other) => Math.abs(one.options - options) - Math.abs(other.options - options),
    )[0]
    const steps = nearest === undefined ? undefined : Math.round((nearest.steps * options) / nearest.options)
    return { fromNothing: true, ...(steps === undefined ? {} : { steps }) }
  }
  const dates = new Map<string, number>()
  const dateOf = (file: string) => {
    const full = path.resolve(tree.output, file)
    if (!dates.has(full)) dates.set(full, modifiedOf(full) ?? 0)
    return dates.get(full) ?? 0
  }
  const stale = objects.filter(({ object, dependencies, options }) => {
    const built = dateOf(object)
    return [...dependencies, ...options].some((file) => dateOf(file) > built)
  })
  return { steps: stale.length + OTHER_STEPS, fromNothing: false }
}
