import { KernelTreeError, type KernelWorkbench } from '../contract/kernel-tree.ts'
import { workbench as built } from '../kernel-tree/index.ts'

/** What of the workbench is not there yet says so by its name. */
const notBuilt = (name: keyof KernelWorkbench) => () => Promise.reject(new KernelTreeError(`${name} is not built yet`))

const unbuilt = {
  build: notBuilt('build'),
  createDebianDisk: notBuilt('createDebianDisk'),
}

export const workbench: KernelWorkbench = { ...unbuilt, ...(built as Partial<KernelWorkbench> & typeof built) }
