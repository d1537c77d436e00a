/** Whose turn it is: readers together, a writer alone, in the order in which they came. */
export class Turns {
  #readers: Promise<unknown>[] = []
  #writer: Promise<unknown> = Promise.resolve()

  read<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#writer.then(act)
    const settled = turn.then(ignore, ignore)
    this.#readers.push(settled)
    // what is over needs no waiting for
    void settled.then(() => (this.#readers = this.#readers.filter((one) => one !== settled)))
    return turn
  }

  write<T>(act: () => Promise<T>): Promise<T> {
    const before = Promise.all([this.#writer, ...this.#readers])
    const turn = before.then(act)
    this.#writer = turn.then(ignore, ignore)
    this.#readers = []
    return turn
  }
}

function ignore(): void {
  // who asked hears of a failure; who waits does not mind it
}
