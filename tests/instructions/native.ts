// The real CPU as a snippet machine: compiles native/runner.c and feeds it batches.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ENTRY, SLOT_BYTES, type SnippetCase, type SnippetMachine, STATE_BYTES } from './layout.ts'

const HEADER_BYTES = 8

/** What a record of the runner's input looks like: mode, entry, code, state. */
function pack(batch: readonly SnippetCase[]): Buffer {
  const recordBytes = HEADER_BYTES + SLOT_BYTES + STATE_BYTES
  const out = Buffer.alloc(4 + batch.length * recordBytes)
  out.writeUInt32LE(batch.length, 0)
  batch.forEach((snippet, i) => {
    const at = 4 + i * recordBytes
    out.writeUInt32LE(snippet.mode === 'compat32' ? 1 : 0, at)
    out.writeUInt32LE(ENTRY, at + 4)
    out.set(snippet.code, at + HEADER_BYTES)
    out.set(snippet.before, at + HEADER_BYTES + SLOT_BYTES)
  })
  return out
}

export class NativeMachine implements SnippetMachine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'longmode-oracle-'))
  readonly #program = join(this.#folder, 'runner')

  /** Throws when the host has no C compiler or is no x86-64 Linux. */
  constructor() {
    if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('the native oracle needs x86-64 Linux')
    const source = fileURLToPath(new URL('native/runner.c', import.meta.url))
    const built = spawnSync('gcc', ['-O1', '-mfsgsbase', '-o', this.#program, source], { encoding: 'utf8' })
    if (built.status !== 0) throw new Error(`gcc could not build ${source}: ${built.error?.message ?? built.stderr}`)
  }

  run(batch: readonly SnippetCase[]): Uint8Array[] {
    return this.runAll([batch])[0]
  }

  /** Many batches in one process. */
  runAll(batches: readonly (readonly SnippetCase[])[]): Uint8Array[][] {
    const wanted = batches.reduce((sum, batch) => sum + batch.length * STATE_BYTES, 0)
    const result = spawnSync(this.#program, [], { input: Buffer.concat(batches.map(pack)), maxBuffer: wanted + 1 })
    if (result.status !== 0 || result.stdout.length !== wanted)
      throw new Error(`native runner failed (${result.signal ?? result.status}): ${result.stderr?.toString()}`)
    let at = 0
    const next = () => new Uint8Array(result.stdout.subarray(at, (at += STATE_BYTES)))
    return batches.map((batch) => batch.map(next))
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** CPU features of the host, as /proc/cpuinfo names them. */
export function hostFeatures(): Set<string> {
  const line = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))
  return new Set((line?.[1] ?? '').trim().split(' '))
}
