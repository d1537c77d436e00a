import { ByteWriter } from '../bytes.ts'
import type { AcpiConfig } from './config.ts'

/** ACPI tables (ACPI 6.4 chapter 5). Each function returns one whole table with its checksum. */
const OEM_ID = 'LNGMOD'
const OEM_TABLE_ID = 'LONGMODE'
const CREATOR_ID = 'LMOD'

export function sum8(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => (sum + byte) & 0xff, 0)
}

/** The common header (§5.2.6): 36 bytes, then the body. */
export function table(signature: string, revision: number, body: Uint8Array): Uint8Array {
  const out = new ByteWriter()
  out
    .text(signature, 4)
    .u32(36 + body.length)
    .u8(revision)
    .u8(0)
  out.text(OEM_ID, 6).text(OEM_TABLE_ID, 8).u32(1).text(CREATOR_ID, 4).u32(1)
  const bytes = out.raw(body).done()
  bytes[9] = -sum8(bytes) & 0xff
  return bytes
}

/** §5.2.5.3, revision 2: both checksums. */
export function buildRsdp(rsdt: number, xsdt: number): Uint8Array {
  const out = new ByteWriter()
  out.text('RSD PTR ').u8(0).text(OEM_ID, 6).u8(2).u32(rsdt)
  const bytes = out.u32(36).u64(xsdt).u8(0).zeroes(3).done()
  bytes[8] = -sum8(bytes.subarray(0, 20)) & 0xff
  bytes[32] = -sum8(bytes) & 0xff
  return bytes
}

export function buildRsdt(addresses: readonly number[]): Uint8Array {
  const out = new ByteWriter()
  for (const address of addresses) out.u32(address)
  return table('RSDT', 1, out.done())
}

export function buildXsdt(addresses: readonly number[]): Uint8Array {
  const out = new ByteWriter()
  for (const address of addresses) out.u64(address)
  return table('XSDT', 1, out.done())
}

/** §5.2.10: no checksum; 64 bytes on a 64-byte boundary. */
export function buildFacs(): Uint8Array {
  return new ByteWriter().text('FACS').u32(64).zeroes(24).u8(1).zeroes(31).done()
}

/** Fixed feature flags (§5.2.9, table 5.10). A power button is there as fixed hardware: its flag stays clear. */
const FADT_FLAGS = {
  wbinvd: 1 << 0,
  processorC1: 1 << 2,
  sleepButtonAbsent: 1 << 5,
  rtcWakeS4: 1 << 7,
  resetRegister: 1 << 10,
} as const

/** IA-PC boot architecture flags (§5.2.9.3). */
const BOOT_LEGACY_DEVICES = 1 << 0
const BOOT_8042 = 1 << 1
const BOOT_NO_VGA = 1 << 2

const LATENCY_NO_C2 = 0xfff // over 100 us: state not supported
const LATENCY_NO_C3 = 0xfff // over 1000 us
const CMOS_CENTURY = 0x32
const SPACE_IO = 1

/** Generic address structure of an I/O register (§5.2.3.2); access size 0: left to the bits. */
function ioRegister(out: ByteWriter, port: number, bytes: number): void {
  out
    .u8(SPACE_IO)
    .u8(bytes * 8)
    .u8(0)
    .u8(0)
    .u64(port)
}

/** §5.2.9 in the layout of revision 3 (ACPI 2.0, 244 bytes), which all kernels know. */
export function buildFadt(config: AcpiConfig, facs: number, dsdt: number): Uint8Array {
  const { pmBase, gpe0, smi, reset } = config
  const control = pmBase + 4
  const timer = pmBase + 8
  const flags = Object.values(FADT_FLAGS).reduce((all, flag) => all | flag)
  const out = new ByteWriter()
  out.u32(facs).u32(dsdt).u8(0).u8(0) // preferred profile: unspecified
  out.u16(config.sciIrq).u32(smi.port).u8(smi.enable).u8(smi.disable).u8(0).u8(0)
  out.u32(pmBase).u32(0).u32(control).u32(0).u32(0).u32(timer).u32(gpe0.base).u32(0)
  out.u8(4).u8(2).u8(0).u8(4).u8(gpe0.length).u8(0).u8(0).u8(0) // register lengths, GPE1 base, _CST
  out.u16(LATENCY_NO_C2).u16(LATENCY_NO_C3).u16(0).u16(0).u8(0).u8(0) // flush, duty cycle
  out.u8(0).u8(0).u8(CMOS_CENTURY) // no RTC alarm for day and month
  out.u16(BOOT_LEGACY_DEVICES | BOOT_NO_VGA | (config.i8042 ? BOOT_8042 : 0)).u8(0)
  out.u32(flags)
  ioRegister(out, reset.port, 1)
  out.u8(reset.value).u16(0).u8(0)
  out.u64(0).u64(dsdt) // X_FIRMWARE_CTRL is for a FACS above 4 GiB only
  ioRegister(out, pmBase, 4)
  out.zeroes(12)
  ioRegister(out, control, 2)
  out.zeroes(24)
  ioRegister(out, timer, 4)
  ioRegister(out, gpe0.base, gpe0.length)
  out.zeroes(12)
  return table('FACP', 3, out.done())
}

const MADT_LAPIC = 0
const MADT_IOAPIC = 1
const MADT_OVERRIDE = 2
const MADT_LAPIC_NMI = 4
const PCAT_COMPAT = 1 // two 8259s, to be masked when the APICs take over
const LEVEL_ACTIVE_HIGH = 0x0d // polarity 01b, trigger 11b
const ALL_CPUS = 0xff

/** §5.2.12. */
export function buildMadt(config: AcpiConfig): Uint8Array {
  const out = new ByteWriter().u32(config.lapic).u32(PCAT_COMPAT)
  for (let cpu = 0; cpu < config.cpus; cpu++) out.u8(MADT_LAPIC).u8(8).u8(cpu).u8(cpu).u32(1)
  out.u8(MADT_IOAPIC).u8(12).u8(config.ioapic.id).u8(0).u32(config.ioapic.base).u32(0)
  const override = (irq: number, gsi: number, flags: number): void => {
    out.u8(MADT_OVERRIDE).u8(10).u8(0).u8(irq).u32(gsi).u16(flags)
  }
  override(0, config.timerGsi, 0)
  for (const irq of config.levelIrqs) override(irq, irq, LEVEL_ACTIVE_HIGH)
  out.u8(MADT_LAPIC_NMI).u8(6).u8(ALL_CPUS).u16(0).u8(1)
  return table('APIC', 1, out.done())
}

const HPET_BLOCK_ID = 0x8086_a201 // Intel, legacy replacement, 64-bit counter, 3 timers, revision 1

/** IA-PC HPET specification 1.0a §3.2.4. */
export function buildHpet(base: number): Uint8Array {
  const out = new ByteWriter().u32(HPET_BLOCK_ID)
  out.u8(0).u8(0).u8(0).u8(0).u64(base) // generic address: memory
  return table('HPET', 1, out.u8(0).u16(0).u8(0).done())
}
