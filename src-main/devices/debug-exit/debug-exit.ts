import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { Device, PortHandler, Width } from '../../bus/bus.ts'
import type { PowerControl } from '../backends.ts'

/** isa-debug-exit: a write ends the program with exit code (value << 1) | 1, so that a test kernel can say how it went. */
export class DebugExit implements Device, PortHandler {
  readonly name = 'isa-debug-exit'
  private readonly power: PowerControl

  constructor(power: PowerControl) {
    this.power = power
  }

  readPort(_port: number, _width: Width): number {
    return 0
  }

  writePort(_port: number, _width: Width, value: number): void {
    this.power.debugExit(value)
  }

  reset(): void {
    return
  }

  save(): SnapshotFields {
    return { version: 1 }
  }

  restore(_fields: SnapshotFields): void {
    return
  }
}
