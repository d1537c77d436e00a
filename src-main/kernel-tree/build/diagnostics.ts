/** Errors and warnings in the output of make, gcc, clang, sparse, ld and Kconfig. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Diagnostic } from '../../contract/kernel-tree.ts'
import { explain } from './explain-table.ts'

const COMPILER = /^(\S[^:\n]*):(\d+):(?:(\d+):)? (?:(fatal error|error|warning): )(.*)$/
const LINKER =
  /^(?:\S*ld(?:\.lld|\.bfd)?: )?(\S+?):?(?:\(\S+\))?: ((?:undefined reference|multiple definition|undefined symbol).*)$/
const LINKER_PLAIN = /^\S*ld(?:\.lld|\.bfd)?: (?:error: )?((?!warning:).*)$/
const KCONFIG = /^(\S*Kconfig\S*):(\d+): (?:error: )?(syntax error|unknown statement.*|.* without .*)$/
const MAKEFILE = /^(\S+):(\d+): \*\*\* (.*?)\.? {2}Stop\.$/
const MAKE = /^make(?:\[\d+\])?: \*\*\* (?!\[|Waiting for unfinished|Deleting file)(.*?)(?:\. {2}Stop\.)?$/
const MAKE_TARGET = /^make(?:\[\d+\])?: \*\*\* \[(.*)\] Error \d+$/
const PROGRAM = /^make(?:\[\d+\])?: (\S+: No such file or directory)$/
/** Scripts of the build, scripts/syscalltbl.sh for one. */
const SCRIPT = /^error: (\S+): (.*)$/
/** The top Makefile's box around a missing .config. */
const NO_CONFIGURATION = /^\*\*\* (Configuration file .* not found!)$/
/** The compiler itself came to an end. */
const ENDED = /^(?:\S*gcc|\S*clang|cc1|as)(?:-\d+)?: (?:fatal|internal compiler) error: (.*)$/
/** The assembler and any other program when the disk is full: `x.s: Fatal error: can't fill 256 bytes in section .data of x.o: 'No space …'`. */
const NO_SPACE = /^(\S.*: ['"]?No space left on device['"]?)$/
const SHELL = /^(?:\/bin\/sh|sh|bash): (?:\d+: |line \d+: )?(.*not found)$/
/** gcc's and clang's excerpt: `   12 | code` and `      |  ^~~`. */
const EXCERPT = /^\s*\d*\s\|/
/** gcc's way from the macro that is wrong to the place that used it. */
const EXPANSION = /^(\S[^:\n]*):(\d+):(?:(\d+):)? note: in (expansion|definition) of macro /
/** sparse says what it expected and what it got in lines of the same place. */
const SPARSE_MORE = /^\S[^:\n]*:\d+:(?:\d+:)? {4}((?:expected|got) .*)$/
/** clang shows the line itself, then its mark. */
const MARK = /^[\s~]*\^[~^ ]*$/
const OWN_EXCERPT = 2

type Draft = { -readonly [Key in keyof Diagnostic]: Diagnostic[Key] } & { excerpt: string[] }

/** Reads output line by line; a diagnostic is told when the next thing begins, with its excerpt. */
export class DiagnosticReader {
  readonly #folders: readonly string[]
  readonly #tell: (diagnostic: Diagnostic) => void
  #open: Draft | undefined
  /** A line that clang may have meant as the source of the open diagnostic: its mark would follow. */
  #held: string | undefined
  /** Excerpts that come now belong to a note, not to the diagnostic. */
  #inNote = false
  /** An error of make names only the target; kept for builds that give no better one. */
  #ofMake: Diagnostic | undefined

  /** `folders`: where relative names may lead, the output folder and the tree. */
  constructor(folders: readonly string[], tell: (diagnostic: Diagnostic) => void) {
    this.#folders = folders
    this.#tell = tell
  }

  line(text: string): void {
    const open = this.#open
    const held = this.#held
    this.#held = undefined
    if (open !== undefined && this.#belongs(open, held, text)) return
    const found = this.#recognise(text)
    if (found === undefined && open?.column !== undefined && open.excerpt.length === 0 && held === undefined) {
      this.#held = text
      return
    }
    this.#close()
    this.#open = found
  }

  end(): void {
    this.#close()
  }

  /** What make itself said, for a build that failed without any other error. */
  get ofMake(): Diagnostic | undefined {
    return this.#ofMake
  }

  /** An error in a header's macro is the fault of who used it: the last place on the way, outside of headers. */
  #follow(open: Draft, [, file, line, column, kind]: RegExpExecArray): void {
    this.#inNote = kind === 'definition' || open.file === undefined || !open.file.endsWith('.h')
    if (this.#inNote) return
    open.file = this.#relative(file)
    open.line = Number(line)
    open.column = Number(column)
    open.excerpt = []
  }

  /** Takes a line that is part of the open diagnostic. */
  #belongs(open: Draft, held: string | undefined, text: string): boolean {
    if (held !== undefined && MARK.test(text)) {
      open.excerpt.push(held, text)
      return true
    }
    if (EXCERPT.test(text)) {
      if (!this.#inNote) open.excerpt.push(text)
      return true
    }
    const expansion = EXPANSION.exec(text)
    if (expansion !== null) this.#follow(open, expansion)
    const more = SPARSE_MORE.exec(text)
    if (more !== null) open.message += `, ${more[1]}`
    return expansion !== null || more !== null
  }

  #recognise(text: string): Draft | undefined {
    const compiler = COMPILER.exec(text)
    if (compiler !== null) {
      const [, file, line, column, kind, message] = compiler
      return this.#draft(
        kind === 'warning' ? 'warning' : 'error',
        message,
        file,
        Number(line),
        column === undefined ? undefined : Number(column),
      )
    }
    const placed = MAKEFILE.exec(text) ?? KCONFIG.exec(text)
    if (placed !== null) return this.#draft('error', placed[3], placed[1], Number(placed[2]))
    const script = SCRIPT.exec(text)
    if (script !== null) return this.#draft('error', script[2], script[1])
    const linker = LINKER.exec(text)
    if (linker !== null) return this.#draft('error', linker[2], linker[1])
    const plain = LINKER_PLAIN.exec(text)
    // `ld: x.o: in function …:` is followed by the error itself.
    if (plain !== null && !/in function [`'"]/.test(plain[1])) return this.#draft('error', plain[1])
    const other =
      NO_CONFIGURATION.exec(text) ??
      ENDED.exec(text) ??
      NO_SPACE.exec(text) ??
      SHELL.exec(text) ??
      PROGRAM.exec(text) ??
      MAKE.exec(text)
    if (other !== null) return this.#draft('error', other[1])
    const target = MAKE_TARGET.exec(text)
    if (target !== null) this.#ofMake ??= this.#draft('error', `make could not make ${target[1]}`)
    return undefined
  }

  #draft(severity: Diagnostic['severity'], message: string, file?: string, line?: number, column?: number): Draft {
    return {
      severity,
      message,
      excerpt: [],
      ...(file === undefined ? {} : { file: this.#relative(file) }),
      ...(line === undefined ? {} : { line }),
      ...(column === undefined ? {} : { column }),
    }
  }

  #relative(file: string): string {
    // The compiler's names are relative to the output folder, which may lie in the tree or elsewhere.
    const [output = '', tree = output] = this.#folders
    const full = path.resolve(output, file)
    return full.startsWith(`${tree}/`) ? path.relative(tree, full) : file.replace(/^\.\//, '')
  }

  #close(): void {
    const draft = this.#open
    this.#open = undefined
    this.#inNote = false
    if (draft === undefined) return
    if (draft.excerpt.length === 0) draft.excerpt = this.#excerptOf(draft)
    const explanation = explain(draft.message, draft.excerpt.join('\n'))
    this.#tell(explanation === undefined ? draft : { ...draft, explanation })
  }

  #excerptOf({ file, line }: Diagnostic): string[] {
    if (file === undefined || line === undefined) return []
    for (const folder of this.#folders) {
      try {
        const lines = readFileSync(path.resolve(folder, file), 'utf8').split('\n')
        const from = Math.max(1, line - OWN_EXCERPT)
        return lines
          .slice(from - 1, line + OWN_EXCERPT)
          .map((text, index) => `${String(from + index).padStart(5)} | ${text}`)
      } catch {
        // Not in this folder.
      }
    }
    return []
  }
}
