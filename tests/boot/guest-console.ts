/** A machine with its serial console in the hands of a script: Longmode or QEMU, started with the same flags. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import path from 'node:path'
import process from 'node:process'
import { V8_FLAGS } from '../../src-main/base/v8-flags.mjs'

const root = path.resolve(import.meta.dirname, '../..')

export type Machine = 'longmode' | 'qemu'

/** Program and arguments. QEMU runs by TCG, without anything that it adds by itself. */
export function commandOf(machine: Machine, flags: readonly string[]): readonly [string, readonly string[]] {
  if (machine === 'longmode')
    return [process.execPath, [...V8_FLAGS, path.join(root, 'src-main/cli/main.ts'), ...flags]]
  return ['qemu-system-x86_64', ['-accel', 'tcg', '-nic', 'none', '-vga', 'none', ...flags]]
}

export class GuestConsole {
  readonly machine: Machine
  readonly child: ChildProcessWithoutNullStreams
  /** Resolves with the exit code; a signal counts as -1. */
  readonly exited: Promise<number>
  #log = ''
  #from = 0
  #ended = false
  readonly #waiting = new Set<() => void>()

  constructor(machine: Machine, flags: readonly string[]) {
    this.machine = machine
    const [command, args] = commandOf(machine, flags)
    this.child = spawn(command, args)
    const add = (chunk: Buffer) => {
      this.#log += chunk.toString('latin1')
      this.#wake()
    }
    this.child.stdout.on('data', add)
    this.child.stderr.on('data', add)
    // The program may end while something is still typed into it.
    this.child.stdin.on('error', () => undefined)
    this.exited = new Promise((resolve) => {
      const end = (code: number) => {
        this.#ended = true
        this.#wake()
        resolve(code)
      }
      this.child.on('error', () => end(-1))
      this.child.on('close', (code) => end(code ?? -1))
    })
  }

  /** Everything that was printed so far, messages of the program included. */
  get log(): string {
    return this.#log
  }

  type(text: string): void {
    this.child.stdin.write(text)
  }

  /** Waits until `pattern` shows up after the last match; gives the text up to and including it. */
  async expect(pattern: RegExp | string, seconds = 120): Promise<string> {
    const deadline = performance.now() + seconds * 1000
    for (;;) {
      const rest = this.#log.slice(this.#from)
      const at = typeof pattern === 'string' ? rest.indexOf(pattern) : rest.search(pattern)
      if (at >= 0) {
        const length = typeof pattern === 'string' ? pattern.length : (pattern.exec(rest)?.[0].length ?? 0)
        this.#from += at + length
        return rest.slice(0, at + length)
      }
      const left = deadline - performance.now()
      if (this.#ended || left <= 0) {
        const why = this.#ended ? 'the program ended' : `${seconds} s went by`
        throw new Error(`${this.machine}: ${why} before ${String(pattern)}; last output:\n${this.#log.slice(-2000)}`)
      }
      await this.#change(left)
    }
  }

  /** Runs one shell command in the guest and gives its output and exit status. The prompt must have been seen. */
  async run(command: string, seconds = 300): Promise<{ output: string; status: number }> {
    // The marks are put together by the guest's shell, so that the echo of the command is not taken for them.
    this.type(`echo "<be""gin>"; ${command}; echo "<e""nd $?>"\n`)
    await this.expect('<begin>\r\n', seconds)
    const text = await this.expect(/<end \d+>/, seconds)
    const mark = /<end (\d+)>$/.exec(text)!
    return { output: text.slice(0, mark.index).replaceAll('\r\n', '\n'), status: Number(mark[1]) }
  }

  /** Ends the program if it still runs. */
  async kill(): Promise<void> {
    if (!this.#ended) this.child.kill('SIGKILL')
    await this.exited
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  #change(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#waiting.add(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}
