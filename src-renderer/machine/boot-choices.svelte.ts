/** The kernels inside a disk image, and which of them is chosen: its boot loader's default, until the user says otherwise. */
import type { MachineConfig } from '../../src-main/contract/machine-config.ts'
import type { BootChoice, BootFiles } from '../../src-main/contract/services/images.ts'
import type { Longmode } from '../../src-main/contract/services/index.ts'

export const BUILT_IN = -1

export class BootChoices {
  list = $state.raw<readonly BootChoice[]>([])
  /** Position in the list, or BUILT_IN. */
  chosen = $state(BUILT_IN)
  looking = $state(false)
  /** Why the image could not be looked into. */
  sentence = $state<string>()
  readonly #api: Longmode['images']
  #image: string | undefined

  constructor(api: Longmode['images']) {
    this.#api = api
  }

  /** Looks into another image; undefined: there is none. */
  look(image: string | undefined): void {
    if (image === this.#image) return
    this.#image = image
    this.list = []
    this.chosen = BUILT_IN
    this.sentence = undefined
    this.looking = image !== undefined
    if (image === undefined) return
    this.#api
      .bootChoices(image)
      .then(
        (list) => {
          if (this.#image !== image) return
          this.list = list
          this.chosen = list.length > 0 ? 0 : BUILT_IN
        },
        (error: unknown) => {
          if (this.#image === image) this.sentence = error instanceof Error ? error.message : String(error)
        },
      )
      .finally(() => {
        if (this.#image === image) this.looking = false
      })
  }

  /** The chosen kernel's files; an empty object for the built-in guest. */
  async take(): Promise<Partial<BootFiles>> {
    if (this.#image === undefined || this.chosen === BUILT_IN) return {}
    return await this.#api.takeBootFiles(this.#image, this.chosen)
  }
}

/** The machine, started by these files in place of its own. */
export function withBootFiles(config: MachineConfig, files: Partial<BootFiles>): MachineConfig {
  if (files.kernel === undefined) return config
  const { kernel: _kernel, initrd: _initrd, ...rest } = config
  return { ...rest, ...files }
}
