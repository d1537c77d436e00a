/**
 * QEMU's Ctrl-a keys on a terminal that carries the serial port and the monitor. A pure state machine: bytes in, actions out;
 * everything that is no escape goes on unchanged, Ctrl-C included.
 */
export type EscapeAction =
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'quit' | 'break' | 'toggle-monitor' | 'help' }

const CTRL_A = 0x01

/** Key after Ctrl-a -> what it does. */
const keys: Readonly<Record<string, Exclude<EscapeAction['kind'], 'data'>>> = {
  x: 'quit',
  b: 'break',
  c: 'toggle-monitor',
  h: 'help',
  '?': 'help',
}

export const escapeHelp = [
  'Ctrl-a h    this help',
  'Ctrl-a x    quit',
  'Ctrl-a b    send a break (magic SysRq)',
  'Ctrl-a c    switch between the console and the monitor',
  'Ctrl-a Ctrl-a    send Ctrl-a',
]

export class EscapeKeys {
  #afterCtrlA = false

  feed(bytes: Uint8Array): EscapeAction[] {
    const actions: EscapeAction[] = []
    let data: number[] = []
    const flush = () => {
      if (data.length > 0) actions.push({ kind: 'data', bytes: Uint8Array.from(data) })
      data = []
    }
    for (const byte of bytes) {
      if (!this.#afterCtrlA) {
        if (byte === CTRL_A) this.#afterCtrlA = true
        else data.push(byte)
        continue
      }
      this.#afterCtrlA = false
      const key = String.fromCharCode(byte)
      if (byte === CTRL_A) data.push(byte)
      else if (Object.hasOwn(keys, key)) {
        flush()
        actions.push({ kind: keys[key] })
      } else data.push(CTRL_A, byte)
    }
    flush()
    return actions
  }
}
