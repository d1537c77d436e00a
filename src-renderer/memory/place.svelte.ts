/** Where the viewer looks: a space, the byte with the cursor, the first row; and the way back. */
import type { AddressSpace } from '../../src-main/contract/debug.ts'
import { rowOf, SPACE_END, wrap, type RowBytes } from './address.ts'

interface Spot {
  readonly space: AddressSpace
  readonly cursor: bigint
  readonly top: bigint
}

export class Place {
  space = $state<AddressSpace>('virtual')
  cursor = $state(0n)
  /** Address of the first row that is shown. */
  top = $state(0n)
  /** Rows on the screen. */
  rows = $state(1)
  #rowBytes = $state<RowBytes>(16)
  #back = $state.raw<readonly Spot[]>([])
  #forward = $state.raw<readonly Spot[]>([])

  readonly #row = $derived(BigInt(this.#rowBytes))
  readonly canGoBack = $derived(this.#back.length > 0)
  readonly canGoForward = $derived(this.#forward.length > 0)
  /** First address after the last row. */
  readonly bottom = $derived(this.top + BigInt(this.rows) * this.#row)

  get rowBytes(): RowBytes {
    return this.#rowBytes
  }
  /** The row that was the first is on the screen still, and so is the cursor if it was. */
  set rowBytes(bytes: RowBytes) {
    if (bytes === this.#rowBytes) return
    const seen = this.cursor >= this.top && this.cursor < this.bottom
    this.#rowBytes = bytes
    this.#show(rowOf(this.top, bytes))
    if (seen) this.move(0n)
  }

  #spot(): Spot {
    return { space: this.space, cursor: this.cursor, top: this.top }
  }

  #use({ space, cursor, top }: Spot): void {
    this.space = space
    this.cursor = cursor
    // The rows may have been longer then.
    this.top = rowOf(top, this.#rowBytes)
  }

  /** Goes somewhere else; the way back is kept. The place appears a third from above when it is not on the screen already. */
  jump(address: bigint, space: AddressSpace = this.space): void {
    this.#back = [...this.#back, this.#spot()].slice(-100)
    this.#forward = []
    const visible = space === this.space && address >= this.top && address < this.bottom
    this.space = space
    this.cursor = wrap(address)
    if (!visible) this.#show(rowOf(this.cursor, this.#rowBytes) - BigInt(Math.floor(this.rows / 3)) * this.#row)
  }

  back(): void {
    const spot = this.#back.at(-1)
    if (spot === undefined) return
    this.#forward = [...this.#forward, this.#spot()]
    this.#back = this.#back.slice(0, -1)
    this.#use(spot)
  }

  forward(): void {
    const spot = this.#forward.at(-1)
    if (spot === undefined) return
    this.#back = [...this.#back, this.#spot()]
    this.#forward = this.#forward.slice(0, -1)
    this.#use(spot)
  }

  #show(top: bigint): void {
    const last = SPACE_END - BigInt(this.rows) * this.#row
    this.top = top < 0n ? 0n : top > last ? last : top
  }

  /** Rows down (negative: up), without the cursor. */
  scroll(rows: number): void {
    this.#show(this.top + BigInt(rows) * this.#row)
  }

  /** Moves the cursor; the view follows. */
  move(bytes: bigint): void {
    const to = this.cursor + bytes
    if (to < 0n || to >= SPACE_END) return
    this.cursor = to
    if (to < this.top) this.#show(rowOf(to, this.#rowBytes))
    else if (to >= this.bottom) this.#show(rowOf(to, this.#rowBytes) - BigInt(this.rows - 1) * this.#row)
  }
}
