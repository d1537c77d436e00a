// Deterministic randomness with a taste for edge cases.

/** sfc32: small, fast, the same everywhere. */
export class Random {
  #a: number
  #b: number
  #c: number
  #d = 1

  constructor(seedA: number, seedB: number) {
    this.#a = seedA | 0
    this.#b = seedB | 0
    this.#c = (seedA ^ 0x9e3779b9) | 0
    for (let i = 0; i < 12; i++) this.u32()
  }

  /** 0 .. 2^32-1 */
  u32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (this.#c << 21) | (this.#c >>> 11)
    this.#c = (this.#c + t) | 0
    return t >>> 0
  }

  /** 0 .. n-1 */
  below(n: number): number {
    return Math.floor((this.u32() / 0x1_0000_0000) * n)
  }

  /** low .. high, both included */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  /** True once in n. */
  oneIn(n: number): boolean {
    return this.below(n) === 0
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]
  }
}

/** FNV-1a of a name, the seed of a form. */
export function nameSeed(name: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

const EDGES = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0x81n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
]
const EDGES_64 = [...EDGES, 0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0x0123_4567_89ab_cdefn, 0x1_0000_0000n]

/** A 64-bit pattern, unsigned: edges of every width, their negatives, small numbers, single bits, or noise. */
export function interesting64(random: Random): bigint {
  switch (random.below(8)) {
    case 0:
      return random.pick(EDGES_64)
    case 1:
      return BigInt.asUintN(64, -random.pick(EDGES_64))
    case 2:
      return BigInt.asUintN(64, BigInt(random.between(-130, 130)))
    case 3:
      return BigInt.asUintN(64, (1n << BigInt(random.below(64))) + BigInt(random.between(-1, 1)))
    case 4:
      return (BigInt(random.pick([0, 0xffff_ffff, random.u32()])) << 32n) | random.pick(EDGES)
    default:
      return (BigInt(random.u32()) << 32n) | BigInt(random.u32())
  }
}
