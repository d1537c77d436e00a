/** .config files and fragments: `CONFIG_X=value` and `# CONFIG_X is not set`. */
import type { ConfigValue } from '../../contract/kernel-tree.ts'

/** Option without CONFIG_ -> value; a string keeps its quotes; what is not there is `n`. */
export class DotConfig {
  readonly #values = new Map<string, ConfigValue>()

  constructor(text: string) {
    for (const [, option, value, unset] of text.matchAll(/^(?:CONFIG_(\w+)=(.*)|# CONFIG_(\w+) is not set)$/gm)) {
      if (unset !== undefined) this.#values.set(unset, 'n')
      else this.#values.set(option, value.trim())
    }
  }

  get(option: string): ConfigValue {
    return this.#values.get(option) ?? 'n'
  }

  /** Options that the text says something about, in its order. */
  options(): IterableIterator<string> {
    return this.#values.keys()
  }
}
