/** The machine as the vCPU sees it. */
/** What a vCPU asks of the machine. Addresses are guest-physical. */
export interface CpuHost {
  /** Sizes 1, 2, 4, 8, 16 (the machine splits); `target` is filled. */
  mmioRead(gpa: number, target: Uint8Array): void
  mmioWrite(gpa: number, source: Uint8Array): void
  portRead(port: number, width: 1 | 2 | 4): number
  portWrite(port: number, width: 1 | 2 | 4, value: number): void
  /** Time stamp counter. */
  tsc(): bigint
  /** Local APIC: task priority (CR8), base MSR, TSC deadline, x2APIC registers. */
  readonly apic: CpuApic
  random(target: Uint8Array): void
  warn(text: string): void
}
export interface CpuApic {
  getTaskPriority(): number
  setTaskPriority(value: number): void
  readMsr(index: number): bigint | undefined
  writeMsr(index: number, value: bigint): boolean
}

/** A guest-physical address from the two halves that generated code passes. */
export const gpaOf = (low: number, high: number): number => high * 0x1_0000_0000 + (low >>> 0)
