/** `longmode kernel info` and `doctor`. */
import { workbench } from '../../kernel-tree/index.ts'
import { mark, treeOf, treeOptions, type Command } from './command.ts'
import { buildOptions, makeOptionsOf } from './make-options.ts'
import { has } from './words.ts'

const stateTexts = {
  unconfigured: 'not configured: "longmode kernel config recipe tutorial" makes a .config',
  unbuilt: 'configured, not built',
  stale: 'built, but sources are newer than the image: build again',
  current: 'built, up to date',
}

const info: Command = {
  name: 'info',
  operands: '',
  summary: 'what a folder is as a kernel tree: version, configuration, what is built',
  options: treeOptions,
  run: async (context) => {
    const tree = await treeOf(context)
    const state = await workbench.buildState(tree)
    const { version, nickname, release, architecture, git } = tree
    const text = [
      `Linux ${version.text} "${nickname}" in ${tree.folder}`,
      ...(tree.output === tree.folder ? [] : [`output folder: ${tree.output}`]),
      `state: ${stateTexts[state.state]}`,
      ...state.changed.map((file) => `  changed: ${file}`),
      ...(architecture === 'i386' ? ['configured for 32-bit: its kernel cannot run 64-bit programs'] : []),
      ...(release === undefined ? [] : [`last build: ${release}`]),
      ...(tree.bzImage === undefined
        ? []
        : [`image: ${tree.bzImage.path} (${(tree.bzImage.bytes / 2 ** 20).toFixed(1)} MiB)`]),
      ...(git === undefined ? [] : [`git: ${git.branch} at ${git.commit}, ${git.changed.length} changed files`]),
    ]
    return { json: { tree, state }, text, exitCode: 0 }
  },
}

const doctor: Command = {
  name: 'doctor',
  operands: '',
  summary: 'are the tools there that a build needs, and what installs the missing ones',
  options: [...treeOptions, ...buildOptions],
  run: async (context) => {
    const named = has(context.words, 'tree') || has(context.words, 'output')
    const tree = await treeOf(context).catch((error: unknown) => {
      // Without a tree the question still has an answer.
      if (named) throw error
      return undefined
    })
    const report = await workbench.checkToolchain(tree, makeOptionsOf(context.words))
    const rows = report.tools.map(({ name, purpose, found, required, version = '' }) => {
      return `${found || required ? mark(found) : 'absent '} ${name.padEnd(10)} ${version.padEnd(9)} ${purpose}${required ? '' : ' (not needed now)'}`
    })
    const last = report.install === undefined ? [] : [`to install what is missing: ${report.install}`]
    const text = [...rows, ...last, ...(report.advice === undefined ? [] : [report.advice])]
    return { json: report, text, exitCode: report.ready ? 0 : 1 }
  },
}

export const treeCommands: readonly Command[] = [info, doctor]
