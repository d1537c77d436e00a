import { defaultGuest, defaultShareFolder, RecipeError } from '../host/default-guest/default-guest.ts'
import { MIB, type MachineConfig, type ShareConfig } from '../machine/config.ts'

/** QEMU's 128 MiB are few for a stock kernel with its initramfs. */
const MEMORY = 512 * MIB

/**
 * Fills in what a command line without a kernel leaves open: the default guest's kernel and initramfs, enough memory, and a share
 * of ~/Longmode/shared. What the user gave stays. A sentence when the guest cannot be made.
 */
export async function withDefaultGuest(
  machine: MachineConfig,
  given: ReadonlySet<string>,
  progress: (text: string) => void,
): Promise<MachineConfig | string> {
  const guest = await defaultGuest(progress).catch((error: unknown) => {
    if (error instanceof RecipeError) return error.message
    throw error
  })
  if (typeof guest === 'string') return guest
  const shares = machine.shares.length > 0 ? machine.shares : [defaultShare(progress)]
  return {
    ...machine,
    kernel: guest.kernel,
    initrd: machine.initrd ?? guest.initrd,
    append: [guest.append, machine.append].filter((text) => text !== '').join(' '),
    memory: given.has('m') ? machine.memory : MEMORY,
    entropy: true,
    shares,
  }
}

function defaultShare(progress: (text: string) => void): ShareConfig {
  const path = defaultShareFolder()
  progress(`the guest's /root/host_folder is ${path}`)
  return { path, mountTag: 'shared_folder', securityModel: 'none', readOnly: false }
}
