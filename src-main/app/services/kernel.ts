import path from 'node:path'
import { KernelTreeError, type KernelTree, type KernelWorkbench } from '../../contract/kernel-tree.ts'
import type { ServiceHandlers } from '../../contract/rpc/definition.ts'
import type { Peer } from '../../contract/rpc/host.ts'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { AllServices } from '../../contract/services/index.ts'
import type { MachineId } from '../../contract/services/common.ts'
import type { TreeName } from '../../contract/services/kernel.ts'
import type { KernelHistory } from '../kernel-history.ts'
import type { KernelJobs } from '../kernel-jobs.ts'
import type { MachineLibrary } from '../machines/library.ts'
import { machineWithKernel } from '../machines/prepare.ts'

type Handlers = ServiceHandlers<AllServices['kernel'], Peer<AllServices>>

/** Handlers whose KernelTreeErrors are the user's. */
function withSentences(handlers: Handlers): Handlers {
  const wrapped = Object.entries(handlers).map(([name, handler]) => [
    name,
    async (...args: readonly unknown[]) => {
      try {
        return await (handler as (...args: readonly unknown[]) => unknown)(...args)
      } catch (error) {
        if (error instanceof KernelTreeError) throw TroubleError.user(error.message)
        throw error
      }
    },
  ])
  return Object.fromEntries(wrapped) as Handlers
}

export function kernelHandlers(
  workbench: KernelWorkbench,
  jobs: KernelJobs,
  library: MachineLibrary,
  history: KernelHistory,
): Handlers {
  const open = ({ folder, output }: TreeName) => workbench.openTree(folder, output)
  /** The machine as it boots the tree's kernel, also while there is none yet. */
  const machineOf = ({ output, bzImage }: KernelTree, machine: MachineId) =>
    machineWithKernel(library.get(machine).config, bzImage?.path ?? path.join(output, 'arch/x86/boot/bzImage'))
  const checkDiff = (now: string, seen: string) => {
    if (now !== seen) throw TroubleError.user('the tree has changed since the diff was made; look at the new one first')
  }
  return withSentences({
    open: (_window, tree) => open(tree),
    state: async (_window, tree) => workbench.buildState(await open(tree)),
    toolchain: async (_window, tree, options) => workbench.checkToolchain(await open(tree), options),
    checkConfig: async (_window, tree, machine, userland) => {
      const opened = await open(tree)
      return workbench.checkConfig(opened, machineOf(opened, machine), userland)
    },
    fixConfig: async (_window, tree, machine, userland) => {
      const opened = await open(tree)
      return workbench.fixConfig(opened, machineOf(opened, machine), userland)
    },
    bootConfig: async (_window, tree, machine) => {
      const opened = await open(tree)
      if (opened.bzImage === undefined) throw TroubleError.user(`${opened.output} has no bzImage yet; build it first`)
      return machineOf(opened, machine)
    },
    recipes: () => workbench.recipes(),
    applyRecipes: async (_window, tree, request) => workbench.applyRecipes(await open(tree), request),
    build: async (_window, tree, request) => jobs.build(await open(tree), request),
    cancel: (_window, job) => jobs.cancel(job),
    builds: () => jobs.builds(),
    history: async (_window, tree) => history.of((await open(tree)).output),
    checkSyscall: async (_window, tree, request) => workbench.checkSyscall(await open(tree), request),
    planSyscall: async (_window, tree, request) => workbench.planSyscall(await open(tree), request),
    planSyscallRemoval: async (_window, tree, name) => workbench.planSyscallRemoval(await open(tree), name),
    addSyscall: async (_window, tree, request, { diff }) => {
      const opened = await open(tree)
      const plan = await workbench.planSyscall(opened, request)
      checkDiff(plan.diff, diff)
      return await workbench.applySyscall(opened, request.name, plan)
    },
    removeSyscall: async (_window, tree, name, { diff }) => {
      const opened = await open(tree)
      const plan = await workbench.planSyscallRemoval(opened, name)
      checkDiff(plan.diff, diff)
      return await workbench.applySyscall(opened, name, plan)
    },
    undoSyscall: async (_window, tree) => workbench.undoSyscall(await open(tree)),
    reviewFile: async (_window, tree, file) => workbench.reviewFile(await open(tree), file),
    createDebianDisk: (_window, request) => jobs.createDisk(request),
  })
}
