/**
 * A pasted command line to words, by the rules of a POSIX shell as far as a command needs them: blanks, quotes, backslashes,
 * continued lines, comments. What only a shell could do (run a command, pipe, expand a pattern) is refused in plain words.
 */
import { FlagError } from './flag-error.ts'

export interface SplitOptions {
  /** Variables that may be expanded, `HOME` for `~` too. */
  readonly variables?: Readonly<Record<string, string>>
}

const shellOnly: readonly (readonly [RegExp, string])[] = [
  [/^\$\(/, 'a command substitution, $( … )'],
  [/^`/, 'a command substitution, ` … `'],
  [/^[|]/, 'a pipe, |'],
  [/^;/, 'a second command after ;'],
  [/^&/, 'a command that goes on after &'],
  [/^[<>]/, 'a redirection, < or >'],
  [/^[*?[]/, 'a file pattern with *, ? or ['],
  [/^[(]/, 'a subshell, ( … )'],
]

function refuse(what: string): never {
  throw new FlagError(`the command line has ${what}, which only a shell can do; write what it stands for, or quote it`)
}

class Splitter {
  readonly #text: string
  readonly #variables: Readonly<Record<string, string>>
  readonly words: string[] = []
  #at = 0
  #word: string | undefined

  constructor(text: string, variables: Readonly<Record<string, string>>) {
    this.#text = text.replaceAll('\r\n', '\n')
    this.#variables = variables
  }

  run(): string[] {
    while (this.#at < this.#text.length) this.#step()
    this.#endWord()
    return this.words
  }

  #endWord(): void {
    if (this.#word !== undefined) this.words.push(this.#word)
    this.#word = undefined
  }

  #add(text: string): void {
    this.#word = (this.#word ?? '') + text
  }

  #step(): void {
    const char = this.#text[this.#at]
    if (/\s/.test(char)) {
      this.#at++
      this.#endWord()
      // A new line ends a command; more of the same command is what people paste, so it goes on.
    } else if (char === '#' && this.#word === undefined) this.#skipComment()
    else if (char === "'") this.#singleQuoted()
    else if (char === '"') this.#doubleQuoted()
    else if (char === '\\') this.#escaped()
    else if (char === '$') this.#variable()
    else if (char === '~' && this.#word === undefined && /^~(\/|\s|$)/.test(this.#text.slice(this.#at, this.#at + 2))) {
      this.#add(this.#lookUp('HOME'))
      this.#at++
    } else this.#plain(char)
  }

  #plain(char: string): void {
    const rest = this.#text.slice(this.#at, this.#at + 2)
    const found = shellOnly.find(([pattern]) => pattern.test(rest))
    if (found !== undefined) refuse(found[1])
    this.#add(char)
    this.#at++
  }

  #skipComment(): void {
    const end = this.#text.indexOf('\n', this.#at)
    this.#at = end < 0 ? this.#text.length : end
  }

  #escaped(): void {
    const next = this.#text[this.#at + 1]
    this.#at += 2
    if (next === undefined) this.#add('\\')
    else if (next !== '\n') this.#add(next)
  }

  #singleQuoted(): void {
    const end = this.#text.indexOf("'", this.#at + 1)
    if (end < 0) throw new FlagError("the command line has an opening ' without its closing one")
    this.#add(this.#text.slice(this.#at + 1, end))
    this.#at = end + 1
  }

  #doubleQuoted(): void {
    this.#add('')
    this.#at++
    while (this.#text[this.#at] !== '"') {
      const char = this.#text[this.#at]
      if (char === undefined) throw new FlagError('the command line has an opening " without its closing one')
      if (char === '`') refuse('a command substitution, ` … `')
      if (char === '$') this.#variable()
      else if (char === '\\' && '$`"\\\n'.includes(this.#text[this.#at + 1] ?? ' ')) this.#escaped()
      else {
        this.#add(char)
        this.#at++
      }
    }
    this.#at++
  }

  #variable(): void {
    if (this.#text[this.#at + 1] === '(') refuse('a command substitution, $( … )')
    const match = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/.exec(this.#text.slice(this.#at, this.#at + 200))
    if (match === null) {
      if (this.#text[this.#at + 1] === '{') refuse('a parameter expansion, ${ … }')
      this.#add('$')
      this.#at++
      return
    }
    this.#add(this.#lookUp(match[1] ?? match[2]))
    this.#at += match[0].length
  }

  #lookUp(name: string): string {
    if (!Object.hasOwn(this.#variables, name)) {
      throw new FlagError(`the command line uses the variable $${name}, which is not known here; write its value`)
    }
    return this.#variables[name]
  }
}

/** Words of a command line; throws FlagError with one plain sentence. */
export function splitWords(text: string, options: SplitOptions = {}): string[] {
  return new Splitter(text, options.variables ?? {}).run()
}

/** The flags of a pasted command: without `$ `, `sudo` and the program's name. */
export function splitCommand(text: string, options: SplitOptions = {}): string[] {
  const words = splitWords(text.replace(/^\s*[$#]\s+/, ''), options)
  if (words[0] === 'sudo') words.shift()
  if (words[0] !== undefined && !words[0].startsWith('-')) {
    const program = words[0].split('/').at(-1)!
    if (!/^(qemu-system-x86_64|qemu-kvm|kvm|qemu|longmode)(\.exe)?$/.test(program)) {
      throw new FlagError(
        `"${words[0]}" is not a program whose flags are known here; paste a qemu-system-x86_64 command`,
      )
    }
    words.shift()
  }
  return words
}
