/** How far a build is, from the lines that Kbuild prints: `  CC      kernel/fork.o`, `  CC [M]  fs/9p/v9fs.o`. */
const STEP = /^ {2}([A-Z][A-Z0-9_]*(?: \[M\])?)\s+(\S.*)$/

export function stepOf(line: string): { what: string; target: string } | undefined {
  const match = STEP.exec(line)
  return match === null ? undefined : { what: match[1], target: match[2] }
}

/** Steps between two looks at the clock are too few to tell a speed from. */
const LEAST_STEPS = 5

export interface ProgressState {
  readonly done: number
  readonly total?: number
  readonly percent?: number
  readonly secondsLeft?: number
}

export class Progress {
  #done = 0
  readonly #total: number | undefined
  readonly #begun: number
  readonly #now: () => number

  /** `expected` steps as far as that is known; `now` in ms. */
  constructor(expected: number | undefined, now: () => number) {
    this.#total = expected
    this.#now = now
    this.#begun = now()
  }

  step(): ProgressState {
    const done = ++this.#done
    if (this.#total === undefined) return { done }
    // More steps than expected: the end is near, and nobody knows how near.
    const total = Math.max(this.#total, done + 1)
    const percent = Math.min(99, Math.floor((done * 100) / total))
    if (done < LEAST_STEPS) return { done, total, percent }
    const perStep = (this.#now() - this.#begun) / done / 1000
    return { done, total, percent, secondsLeft: Math.round((total - done) * perStep) }
  }

  get done(): number {
    return this.#done
  }
}
