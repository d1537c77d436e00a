import type { Mapping, MmioBus, MmioHandler, Width } from './bus.ts'

interface Region {
  readonly owner: string
  readonly first: number
  readonly end: number
  readonly handler: MmioHandler
}

const ONES = { 1: 0xff, 2: 0xffff, 4: 0xffffffff } as const

/** Guest-physical ranges outside RAM, sorted by address; the region of the last access is tried first. */
export class MmioRouter implements MmioBus {
  private regions: Region[] = []
  private last: Region | undefined

  map(owner: string, gpa: number, length: number, handler: MmioHandler): Mapping {
    if (!Number.isSafeInteger(gpa) || !Number.isSafeInteger(length) || gpa < 0 || length <= 0)
      throw new Error(`${owner} claims an impossible range ${gpa}+${length}`)
    const region: Region = { owner, first: gpa, end: gpa + length, handler }
    const at = this.firstEndingAfter(gpa)
    const other = this.regions[at]
    if (other && other.first < region.end)
      throw new Error(`${owner} and ${other.owner} both claim address 0x${Math.max(gpa, other.first).toString(16)}`)
    this.regions.splice(at, 0, region)
    return { remove: () => this.remove(region) }
  }

  /** An access that leaves the region it starts in, or meets none, reads all ones and writes nothing. */
  read(gpa: number, width: Width): number {
    const region = this.find(gpa, width)
    return region ? (region.handler.readMmio(gpa - region.first, width) & ONES[width]) >>> 0 : ONES[width]
  }

  write(gpa: number, width: Width, value: number): void {
    const region = this.find(gpa, width)
    region?.handler.writeMmio(gpa - region.first, width, (value & ONES[width]) >>> 0)
  }

  /** Is there a device at `gpa`? */
  has(gpa: number): boolean {
    return this.find(gpa, 1) !== undefined
  }

  /** Every region, for `info mtree` and crash reports. */
  list(): { owner: string; first: number; length: number }[] {
    return this.regions.map(({ owner, first, end }) => ({ owner, first, length: end - first }))
  }

  private find(gpa: number, width: Width): Region | undefined {
    const last = this.last
    if (last && gpa >= last.first && gpa + width <= last.end) return last
    const region = this.regions[this.firstEndingAfter(gpa)]
    if (!region || gpa < region.first || gpa + width > region.end) return undefined
    this.last = region
    return region
  }

  private firstEndingAfter(gpa: number): number {
    let low = 0
    let high = this.regions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.regions[middle].end > gpa) high = middle
      else low = middle + 1
    }
    return low
  }

  private remove(region: Region): void {
    this.regions = this.regions.filter((other) => other !== region)
    if (this.last === region) this.last = undefined
  }
}
