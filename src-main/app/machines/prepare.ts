/** From a saved description to one that can start: the embedded guest's files, and a look at everything that it names. */
import { checkFiles } from '../../cli/check-files.ts'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { Progress } from '../../contract/services/common.ts'
import { defaultGuest, defaultShareFolder, RecipeError } from '../../host/default-guest/default-guest.ts'
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
): Promise<MachineConfig> {
  const complete = config.kernel === undefined ? await withEmbeddedGuest(config, progress) : config
  const sentence = await checkFiles(complete)
  if (sentence !== undefined) throw TroubleError.user(inWords(sentence))
  return complete
}

async function withEmbeddedGuest(
  config: MachineConfig,
  progress: (progress: Progress) => void,
): Promise<MachineConfig> {
  try {
    const guest = await defaultGuest((text) => progress({ text }))
    return {
      ...config,
      kernel: guest.kernel,
      initrd: config.initrd ?? guest.initrd,
      append: [guest.append, config.append].filter((text) => text !== '').join(' '),
    }
  } catch (error) {
    if (error instanceof RecipeError) throw TroubleError.user(error.message)
    throw error
  }
}

/** What stands in the way of starting it, as a sentence. The embedded guest's own files are made at its start, not here. */
export async function checkMachine(config: MachineConfig): Promise<string | undefined> {
  const sentence = await checkFiles(config, false)
  return sentence === undefined ? undefined : inWords(sentence)
}
