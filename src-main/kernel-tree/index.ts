/** The kernel workbench: the calls of contract/kernel-tree.ts, for the command line and the window. */
import type { KernelWorkbench } from '../contract/kernel-tree.ts'
import { build } from './build/build.ts'
import { buildState } from './build/state.ts'
import { applyRecipes, configText, fixConfig, readRecipes } from './config/change.ts'
import { checkDotConfig } from './config/check.ts'
import { createDebianDisk } from './disk/debian.ts'
import { applyPlan, undoLast } from './syscall/apply.ts'
import { checklist, planAddition, planRemoval } from './syscall/checklist.ts'
import { reviewSource } from './syscall/review.ts'
import { checkToolchain } from './toolchain/toolchain.ts'
import { openTree } from './tree.ts'

/** A call that is quick enough to be made at once; what it throws rejects the promise. */
const later = <T>(call: () => T): Promise<T> => Promise.resolve().then(call)

export const workbench = {
  openTree,
  buildState: (tree) => later(() => buildState(tree)),
  checkToolchain,

  checkConfig: (tree, plan, userland) => later(() => checkDotConfig(configText(tree), plan, userland)),
  fixConfig,
  recipes: () =>
    later(() => readRecipes().map(({ name, title, description, needs }) => ({ name, title, description, needs }))),
  applyRecipes,

  build,

  checkSyscall: (tree, request) => later(() => checklist(tree.folder, request)),
  planSyscall: (tree, request) => later(() => planAddition(tree.folder, request)),
  planSyscallRemoval: (tree, name) => later(() => planRemoval(tree.folder, name)),
  applySyscall: (tree, name, plan) => later(() => applyPlan(tree.folder, name, plan)),
  undoSyscall: (tree) => later(() => undoLast(tree.folder)),
  createDebianDisk,

  reviewFile: (tree, file) => later(() => reviewSource(tree.folder, file)),
} satisfies KernelWorkbench
