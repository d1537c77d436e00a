/** From a saved description to one that can start: the embedded guest's files, and a look at everything that it names. */
import { checkFiles } from '../../cli/check-files.ts'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { Progress } from '../../contract/services/common.ts'
import {
  defaultGuest,
  defaultGuestPlace,
  defaultShareFolder,
  isDefaultInitrd,
  RecipeError,
  type DefaultGuest,
} from '../../host/default-guest/default-guest.ts'
import { defaultMachine, MIB, type MachineConfig } from '../../machine/config.ts'

/** The machine that the program brings: without a kernel of its own, so the embedded guest starts. */
export const DEFAULT_MACHINE_ID = 'default'

export function defaultMachineConfig(): MachineConfig {
  return {
    ...defaultMachine,
    name: 'Longmode',
    memory: 512 * MIB,
    consoles: 1,
    entropy: true,
    shares: [{ path: defaultShareFolder(), mountTag: 'shared_folder', securityModel: 'none', readOnly: false }],
  }
}

/** Sentences of the command line name a flag; in a window they name the thing. */
const things: readonly (readonly [flag: RegExp, thing: string])[] = [
  [/^-kernel /, 'the kernel '],
  [/^-initrd /, 'the initrd '],
  [/^-drive /, 'the disk '],
  [/^-gdb: /, 'the debugger: '],
  [/^-m: /, 'memory: '],
]

function inWords(sentence: string): string {
  const found = things.find(([flag]) => flag.test(sentence))
  return found === undefined ? sentence : sentence.replace(found[0], found[1])
}

export async function prepareMachine(
  config: MachineConfig,
  progress: (progress: Progress) => void,
  signal?: AbortSignal,
): Promise<MachineConfig> {
  const complete = await withEmbeddedGuest(config, progress, signal)
  const sentence = await checkFiles(complete)
  if (sentence !== undefined) throw TroubleError.user(inWords(sentence))
  return complete
}

/** What the embedded guest brings: all of it to a machine without a kernel, to a kernel of the user's own perhaps the initramfs. */
async function withEmbeddedGuest(
  config: MachineConfig,
  progress: (progress: Progress) => void,
  signal: AbortSignal | undefined,
): Promise<MachineConfig> {
  if (config.kernel !== undefined) {
    if (config.initrd !== undefined && isDefaultInitrd(config.initrd)) await embeddedGuest(progress, signal)
    return config
  }
  const guest = await embeddedGuest(progress, signal)
  return {
    ...config,
    kernel: guest.kernel,
    initrd: config.initrd ?? guest.initrd,
    append: [guest.append, config.append].filter((text) => text !== '').join(' '),
  }
}

async function embeddedGuest(
  progress: (progress: Progress) => void,
  signal: AbortSignal | undefined,
): Promise<DefaultGuest> {
  let now: Progress = { text: '' }
  const tell = (change: Partial<Progress>) => progress((now = { ...now, ...change }))
  try {
    return await defaultGuest((text) => tell({ text }), { signal, part: (part) => tell({ part }) })
  } catch (error) {
    if (error instanceof RecipeError) throw TroubleError.user(error.message)
    throw error
  }
}

/**
 * The machine as it boots a kernel that was built on this computer. One with a disk or an initramfs of its own keeps to them; another gets
 * the embedded guest's initramfs as its root, which prepareMachine makes when it is not there yet.
 */
export function machineWithKernel(config: MachineConfig, kernel: string): MachineConfig {
  const { initrd, disks, append } = config
  const hasRoot = disks.some(({ media }) => media === 'disk')
  const own = initrd !== undefined && !isDefaultInitrd(initrd)
  if (own) return { ...config, kernel }
  const { initrd: _embedded, ...rest } = config
  if (hasRoot) return { ...rest, kernel }
  const guest = defaultGuestPlace()
  const words = /(^|\s)console=/.test(append) ? append : [guest.append, append].filter((text) => text !== '').join(' ')
  return { ...rest, kernel, initrd: guest.initrd, append: words }
}

/** What stands in the way of starting it, as a sentence. The embedded guest's own files are made at its start, not here. */
export async function checkMachine(config: MachineConfig): Promise<string | undefined> {
  const { initrd, ...rest } = config
  const sentence = await checkFiles(initrd === undefined || isDefaultInitrd(initrd) ? rest : config, false)
  return sentence === undefined ? undefined : inWords(sentence)
}
