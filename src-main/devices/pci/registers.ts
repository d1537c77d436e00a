/** Type 0 configuration header (PCI Local Bus Specification 3.0, section 6.1). Byte offsets. */
export const PciReg = {
  vendorId: 0x00,
  deviceId: 0x02,
  command: 0x04,
  status: 0x06,
  revision: 0x08,
  classCode: 0x09,
  headerType: 0x0e,
  bar0: 0x10,
  subsystemVendor: 0x2c,
  subsystemId: 0x2e,
  capabilities: 0x34,
  interruptLine: 0x3c,
  interruptPin: 0x3d,
} as const

/** Command register, section 6.2.2. */
export const PciCommand = {
  io: 1 << 0,
  memory: 1 << 1,
  busMaster: 1 << 2,
  parity: 1 << 6,
  serr: 1 << 8,
  intxDisable: 1 << 10,
} as const

/** Status register, section 6.2.3. */
export const PciStatus = {
  interrupt: 1 << 3,
  capabilities: 1 << 4,
  errors: 0xf900,
} as const

/** Capability identifiers (PCI Code and ID Assignment). */
export const PciCap = { vendor: 0x09, msix: 0x11 } as const

export const INTEL = 0x8086
