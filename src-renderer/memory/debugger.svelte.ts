/** One machine as the memory panel sees it: where it stands, its registers and breakpoints, and how names become addresses. */
import type { Breakpoint, RegisterFile, RegisterValue, Stop } from '../../src-main/contract/debug.ts'
import { TroubleError, troubleOf, type Trouble } from '../../src-main/contract/rpc/messages.ts'
import type { SymbolSource } from '../../src-main/contract/services/debug.ts'
import type { Longmode } from '../../src-main/contract/services/index.ts'
import { t } from '../i18n/i18n.svelte.ts'
import { asNumber, parseExpression, wrap } from './address.ts'

export class Debugger {
  registers = $state.raw<RegisterFile>()
  /** Registers as they were at the stop before, to show what changed. */
  before = $state.raw<RegisterFile>()
  stop = $state.raw<Stop>()
  breakpoints = $state.raw<readonly Breakpoint[]>([])
  source = $state.raw<SymbolSource>()
  readonly #api: Longmode['debug']
  readonly #id: string
  readonly #report: (trouble: Trouble) => void
  readonly #quit: () => void
  readonly #onMove: () => void

  /** `onMove` is called when the machine stopped, stepped or went on: what is shown is old. */
  constructor(api: Longmode['debug'], id: string, report: (trouble: Trouble) => void, onMove: () => void) {
    this.#api = api
    this.#id = id
    this.#report = report
    this.#onMove = onMove
    this.#quit = api.on('stopped', (event) => {
      if (event.id !== id) return
      this.stop = event.stop
      void this.refresh()
      onMove()
    })
  }

  get api(): Longmode['debug'] {
    return this.#api
  }
  get id(): string {
    return this.#id
  }

  close(): void {
    this.#quit()
  }

  /** A call whose failure is told to the user. */
  async attempt<T>(run: () => Promise<T>): Promise<T | undefined> {
    try {
      return await run()
    } catch (error) {
      this.#report(troubleOf(error))
      return undefined
    }
  }

  async refresh(): Promise<void> {
    const next = await this.attempt(() => this.#api.registers(this.#id))
    if (next === undefined) return
    // One stop may be told twice (by the call and by the event); the second reading shows no change and must not hide the first's.
    const moved = next.registers.some((register, index) => register.value !== this.registers?.registers[index]?.value)
    if (moved) this.before = this.registers
    this.registers = next
  }

  async load(): Promise<void> {
    await this.refresh()
    this.breakpoints = (await this.attempt(() => this.#api.breakpoints(this.#id))) ?? []
    this.source = await this.attempt(() => this.#api.symbols(this.#id))
  }

  async pause(): Promise<void> {
    this.stop = (await this.attempt(() => this.#api.stop(this.#id))) ?? this.stop
  }

  async resume(): Promise<void> {
    await this.attempt(() => this.#api.resume(this.#id))
  }

  async step(count = 1): Promise<void> {
    const stop = await this.attempt(() => this.#api.step(this.#id, count))
    if (stop === undefined) return
    this.stop = stop
    await this.refresh()
    this.#onMove()
  }

  async toggle(breakpoint: Breakpoint): Promise<void> {
    const there = this.breakpoints.some((other) => same(other, breakpoint))
    await this.attempt(() =>
      there ? this.#api.removeBreakpoint(this.#id, breakpoint) : this.#api.addBreakpoint(this.#id, breakpoint),
    )
    this.breakpoints = (await this.attempt(() => this.#api.breakpoints(this.#id))) ?? this.breakpoints
  }

  async set(register: RegisterValue, value: bigint): Promise<void> {
    await this.attempt(() => this.#api.setRegister(this.#id, { name: register.name, value }))
    await this.refresh()
    this.#onMove()
  }

  async loadSymbols(path: string): Promise<void> {
    this.source = (await this.attempt(() => this.#api.loadSymbols(this.#id, path))) ?? this.source
  }

  /** Does this register differ from the stop before? */
  changed(register: RegisterValue): boolean {
    const old = this.before?.registers.find((other) => other.name === register.name)
    return old !== undefined && old.value !== register.value
  }

  /** The address that an expression means. Rejects with a sentence for people. */
  async resolve(text: string): Promise<bigint> {
    const terms = parseExpression(text)
    if (terms === undefined) throw TroubleError.user(t('memory.badAddress', { text }))
    let sum = 0n
    for (const term of terms) {
      sum += term.sign * (term.kind === 'number' ? term.value : await this.#named(term.name))
    }
    return wrap(sum)
  }

  async #named(name: string): Promise<bigint> {
    const register = this.registers?.registers.find((candidate) => candidate.name === name.toLowerCase())
    if (register !== undefined) return wrap(register.value)
    const hits = await this.#api.findSymbols(this.#id, name)
    const value = hits.find((hit) => hit.name === name)?.address ?? asNumber(name)
    if (value === undefined) {
      throw TroubleError.user(t(this.source === undefined ? 'memory.noSymbols' : 'memory.noSymbol', { name }))
    }
    return value
  }
}

export const same = (a: Breakpoint, b: Breakpoint): boolean =>
  a.kind === b.kind && a.address === b.address && a.length === b.length
