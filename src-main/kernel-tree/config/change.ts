/** Changes a tree's .config through the tree's own tools: scripts/config, scripts/kconfig/merge_config.sh, `make olddefconfig`. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { unpacked } from '../../base/unpacked.ts'
import {
  KernelTreeError,
  type BootPlan,
  type ConfigFix,
  type ConfigReport,
  type ConfigValue,
  type KernelTree,
  type MakeOptions,
  type Recipe,
  type Userland,
} from '../../contract/kernel-tree.ts'
import { makeArguments } from '../make.ts'
import { run, type RunResult } from '../process.ts'
import { readText } from '../tree.ts'
import { checkDotConfig } from './check.ts'
import { DotConfig } from './dot-config.ts'

const recipeFolder = unpacked(path.resolve(import.meta.dirname, '../../../resources/kernel'))

export interface RecipeFile extends Recipe {
  readonly path: string
  /** The make target that it starts from. */
  readonly base?: string
}

function recipeFrom(file: string): RecipeFile {
  const text = readFileSync(file, 'utf8')
  const value = (key: string) => new RegExp(`^# ${key}: (.*)$`, 'm').exec(text)?.[1]
  const base = value('base')
  return {
    name: path.basename(file, '.config'),
    title: value('title') ?? path.basename(file),
    description: value('description') ?? '',
    needs: value('needs')?.split(/\s+/) ?? [],
    path: file,
    ...(base === undefined ? {} : { base }),
  }
}

export function readRecipes(): RecipeFile[] {
  const files = readdirSync(recipeFolder).filter((file) => file.endsWith('.config'))
  const order = ['tiny', 'tutorial', 'debug']
  return files
    .map((file) => recipeFrom(path.join(recipeFolder, file)))
    .sort((one, other) => order.indexOf(one.name) - order.indexOf(other.name))
}

/** The recipes and what they need, each once, needed ones first. */
export function withNeeded(names: readonly string[], known: readonly RecipeFile[]): RecipeFile[] {
  const chosen: RecipeFile[] = []
  const add = (name: string) => {
    const recipe = known.find((each) => each.name === name)
    if (recipe === undefined)
      throw new KernelTreeError(`there is no recipe "${name}"; there are: ${known.map((each) => each.name).join(', ')}`)
    if (chosen.includes(recipe)) return
    recipe.needs.forEach(add)
    chosen.push(recipe)
  }
  names.forEach(add)
  return chosen
}

const configFile = (tree: KernelTree) => path.join(tree.output, '.config')

export function configText(tree: KernelTree): string {
  const text = readText(configFile(tree))
  if (text === undefined) {
    throw new KernelTreeError(
      `${tree.output} has no .config yet; make one with "longmode kernel config recipe tutorial"`,
    )
  }
  return text
}

async function step(what: string, running: Promise<RunResult>): Promise<void> {
  const { code, cancelled, err, out } = await running
  if (cancelled) throw new KernelTreeError(`${what} was cancelled`)
  if (code === 0) return
  const why = (err.trim() === '' ? out : err).trim().split('\n').slice(-3).join(' ')
  throw new KernelTreeError(`${what} did not succeed: ${why}`)
}

function backUp(tree: KernelTree): string | undefined {
  if (!existsSync(configFile(tree))) return undefined
  const backup = path.join(tree.output, '.config.before-longmode')
  copyFileSync(configFile(tree), backup)
  return backup
}

function differences(before: DotConfig, after: DotConfig): ConfigFix['changed'] {
  const options = new Set([...before.options(), ...after.options()])
  return [...options]
    .map((option) => ({ option, before: before.get(option), after: after.get(option) }))
    .filter((each) => each.before !== each.after)
}

type Wish = readonly [option: string, value: ConfigValue]

const emptyReport: ConfigReport = { findings: [], boots: true }

function fixOf(
  before: string,
  tree: KernelTree,
  wishes: readonly Wish[],
  backup: string | undefined,
  report = emptyReport,
): ConfigFix {
  const after = new DotConfig(configText(tree))
  const refused = wishes
    .filter(([option, wanted]) => after.get(option) !== wanted)
    .map(([option, wanted]) => ({ option, wanted, have: after.get(option) }))
  return {
    changed: differences(new DotConfig(before), after),
    refused,
    ...(backup === undefined ? {} : { backup }),
    report,
  }
}

/** Sets what checkDotConfig finds, the advice that concerns correctness of tools included, and asks Kconfig for the rest. */
export async function fixConfig(
  tree: KernelTree,
  plan: BootPlan,
  userland: Userland,
  signal?: AbortSignal,
): Promise<ConfigFix> {
  const before = configText(tree)
  const { findings } = checkDotConfig(before, plan, userland)
  const wishes = findings.map(({ option, wanted }): Wish => [option, wanted[0]])
  const backup = backUp(tree)
  if (wishes.length > 0) {
    const words = wishes.flatMap(([option, value]) => [value === 'n' ? '--disable' : '--enable', option])
    const script = path.join(tree.folder, 'scripts/config')
    await step('scripts/config', run(script, ['--file', configFile(tree), ...words], { signal }))
    await step('make olddefconfig', run('make', [...makeArguments(tree), 'olddefconfig'], { signal }))
  }
  return fixOf(before, tree, wishes, backup, checkDotConfig(configText(tree), plan, userland))
}

export interface RecipeRequest extends MakeOptions {
  readonly recipes: readonly string[]
  readonly own?: readonly string[]
  readonly keep?: boolean
}

/** A new .config from recipes and the user's fragments; later ones win. */
export async function applyRecipes(tree: KernelTree, request: RecipeRequest, signal?: AbortSignal): Promise<ConfigFix> {
  const { recipes, own = [], keep = false } = request
  const chosen = withNeeded(recipes, readRecipes())
  const missing = own.find((file) => !existsSync(file))
  if (missing !== undefined) throw new KernelTreeError(`the fragment ${missing} does not exist`)
  const before = readText(configFile(tree)) ?? ''
  const base = chosen.find((recipe) => recipe.base !== undefined)?.base
  if (before === '' && base === undefined) {
    throw new KernelTreeError(
      `these recipes only add to a configuration, and ${tree.output} has none; name tiny or tutorial in front of them`,
    )
  }
  mkdirSync(tree.output, { recursive: true })
  const backup = backUp(tree)
  // A new configuration is for gcc unless clang is asked for; one that is kept keeps its compiler.
  const make = makeArguments(tree, keep ? request : { ...request, llvm: request.llvm === true })
  if (!keep && base !== undefined) await step(`make ${base}`, run('make', [...make, base], { signal }))
  const fragments = [...chosen.map((recipe) => recipe.path), ...own.map((file) => path.resolve(file))]
  const merge = path.join(tree.folder, 'scripts/kconfig/merge_config.sh')
  await step(
    'merge_config.sh',
    run(merge, ['-m', '-O', tree.output, configFile(tree), ...fragments], { signal, cwd: tree.folder }),
  )
  await step('make olddefconfig', run('make', [...make, 'olddefconfig'], { signal }))
  const wishes = new Map<string, ConfigValue>()
  for (const file of fragments) {
    const fragment = new DotConfig(readFileSync(file, 'utf8'))
    for (const option of fragment.options()) wishes.set(option, fragment.get(option))
  }
  return fixOf(before, tree, [...wishes], backup)
}
