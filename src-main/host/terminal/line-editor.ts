/** The monitor's input line on a raw terminal: echo, backspace, Ctrl-u, Ctrl-w, Ctrl-c, the last lines by the arrow keys. */
const HISTORY = 50
const LONGEST = 1024

export class LineEditor {
  readonly prompt: string
  readonly #echo: (text: string) => void
  readonly #line: (line: string) => void
  readonly #history: string[] = []
  #at = 0
  #text = ''
  /** Bytes of an escape sequence so far; undefined outside one. */
  #sequence: string | undefined

  constructor(prompt: string, echo: (text: string) => void, line: (line: string) => void) {
    this.prompt = prompt
    this.#echo = echo
    this.#line = line
  }

  /** Shows the prompt and what has been typed. */
  show(): void {
    this.#echo(`\r\u001b[K${this.prompt}${this.#text}`)
  }

  feed(bytes: Uint8Array): void {
    for (const char of new TextDecoder().decode(bytes)) {
      if (this.#sequence !== undefined) this.#inSequence(char)
      else this.#key(char)
    }
  }

  #key(char: string): void {
    if (char === '\u001b') this.#sequence = ''
    else if (char === '\r' || char === '\n') this.#enter()
    else if (char === '\u007f' || char === '\b') this.#replace(this.#text.replace(/.$/u, ''))
    else if (char === '\u0015' || char === '\u0003') this.#replace('')
    else if (char === '\u0017') this.#replace(this.#text.replace(/\S*\s*$/, ''))
    else if (char >= ' ' && this.#text.length < LONGEST) {
      this.#text += char
      this.#echo(char)
    }
  }

  #inSequence(char: string): void {
    const sequence = (this.#sequence ?? '') + char
    this.#sequence = sequence
    if (sequence === '[' || sequence === 'O') return
    if (/[A-Za-z~]/.test(char)) {
      if (char === 'A') this.#recall(this.#at - 1)
      if (char === 'B') this.#recall(this.#at + 1)
      this.#sequence = undefined
    } else if (sequence.length > 8) this.#sequence = undefined
  }

  #recall(at: number): void {
    if (at < 0 || at > this.#history.length) return
    this.#at = at
    this.#replace(this.#history[at] ?? '')
  }

  #replace(text: string): void {
    this.#text = text
    this.show()
  }

  #enter(): void {
    const line = this.#text.trim()
    this.#text = ''
    this.#echo('\r\n')
    if (line !== '' && this.#history.at(-1) !== line) this.#history.push(line)
    if (this.#history.length > HISTORY) this.#history.shift()
    this.#at = this.#history.length
    this.#line(line)
  }
}
