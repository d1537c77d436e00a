/** `longmode kernel config …`. */
import { KernelTreeError, type ConfigFinding, type ConfigFix } from '../../contract/kernel-tree.ts'
import { workbench } from '../../kernel-tree/index.ts'
import { requireTools, treeOf, treeOptions, type Answer, type Command } from './command.ts'
import { buildOptions, makeOptionsOf } from './make-options.ts'
import { planOf, planOptions, userlandOf } from './plan.ts'
import { has, valuesOf } from './words.ts'

function findingLines(findings: readonly ConfigFinding[]): string[] {
  return findings.flatMap(({ option, wanted, have, severity, neededFor, failure }) => [
    `${severity.padEnd(7)} CONFIG_${option} is ${have}, has to be ${wanted.join(' or ')} for ${neededFor}`,
    `        without it: ${failure}`,
  ])
}

function fixAnswer(fix: ConfigFix): Answer {
  // What a first configuration consists of is in its file; the options that were changed are news.
  const shown = fix.backup === undefined ? 0 : 40
  const text = [
    ...fix.changed.slice(0, shown).map(({ option, before, after }) => `CONFIG_${option}: ${before} -> ${after}`),
    ...(shown > 0 && fix.changed.length > shown ? [`and ${fix.changed.length - shown} more`] : []),
    ...fix.refused.map(
      ({ option, wanted, have }) =>
        `CONFIG_${option} stays ${have}: this kernel does not take ${wanted} here (an option that it depends on is off, or it has another name in this version)`,
    ),
    ...findingLines(fix.report.findings),
    fix.backup === undefined
      ? `a new .config with ${fix.changed.length} options`
      : `${fix.changed.length} options changed; the .config as it was is ${fix.backup}`,
  ]
  return { json: fix, text, exitCode: fix.report.boots ? 0 : 1 }
}

const check: Command = {
  name: 'config check',
  operands: '[-- MACHINE FLAGS]',
  summary: 'will this configuration boot on that machine; each miss with the failure it causes',
  options: [...treeOptions, ...planOptions],
  run: async (context) => {
    const report = await workbench.checkConfig(await treeOf(context), planOf(context.words), userlandOf(context.words))
    const verdict = report.boots ? 'nothing is missing that the boot needs' : 'to mend it: longmode kernel config fix'
    return { json: report, text: [...findingLines(report.findings), verdict], exitCode: report.boots ? 0 : 1 }
  },
}

const fix: Command = {
  name: 'config fix',
  operands: '[-- MACHINE FLAGS]',
  summary: 'sets what "config check" misses, through the tree\'s own scripts/config and make olddefconfig',
  options: [...treeOptions, ...planOptions],
  run: async (context) => {
    const { words, signal } = context
    const tree = await treeOf(context)
    await requireTools(tree, context)
    return fixAnswer(await workbench.fixConfig(tree, planOf(words), userlandOf(words), signal))
  },
}

const recipe: Command = {
  name: 'config recipe',
  operands: '[NAME …]',
  summary: 'makes a .config from recipes (tiny, tutorial, debug) and own fragments; without a name it lists them',
  options: [
    ...treeOptions,
    ...buildOptions,
    { name: 'own', value: 'FILE', help: 'a fragment of your own, applied last; may be given more than once' },
    { name: 'keep', help: 'add to the .config that is there instead of starting from tinyconfig' },
  ],
  run: async (context) => {
    const { words, signal } = context
    if (words.rest.length === 0 && !has(words, 'own')) {
      const recipes = await workbench.recipes()
      return {
        json: recipes,
        text: recipes.map(({ name, description }) => `${name.padEnd(10)} ${description}`),
        exitCode: 0,
      }
    }
    if (words.behind.length > 0) throw new KernelTreeError('a recipe takes no machine flags')
    const request = {
      recipes: words.rest,
      own: valuesOf(words, 'own'),
      keep: has(words, 'keep'),
      ...makeOptionsOf(words),
    }
    const tree = await treeOf(context)
    await requireTools(tree, context)
    return fixAnswer(await workbench.applyRecipes(tree, request, signal))
  },
}

export const configCommands: readonly Command[] = [check, fix, recipe]
