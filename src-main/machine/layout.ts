import type { AcpiConfig } from '../boot/acpi/config.ts'
import type { BootLayout } from '../boot/types.ts'

/**
 * Where everything in the machine is: each address, port and IRQ stands here once. The machine is QEMU's `pc` (i440FX and
 * PIIX3/PIIX4) as a guest sees it after the firmware has set it up; there is no firmware here, so the machine starts set up.
 *
 * Guest-physical memory, from the bottom:
 *
 *   0x0000_0000  RAM, conventional memory (639 KiB); what the loader leaves there is listed under BOOT
 *   0x0009_fc00  RAM, EBDA (1 KiB), reserved
 *   0x000a_0000  RAM that the e820 map does not mention (VGA and option ROMs on a real PC)
 *   0x000e_0000  RAM, ACPI tables and SMBIOS, to 1 MiB
 *   0x0010_0000  RAM to the end of low RAM: at most 0xc000_0000 or 0xe000_0000, see splitRam
 *   0xe000_0000  PCI MMIO window, to 0xfec0_0000
 *   0xfec0_0000  IOAPIC, HPET, LAPIC, each in a page of its own or less
 *   0x1_0000_0000  high RAM
 */

export const KIB = 0x400
export const MIB = 0x10_0000
export const GIB = 0x4000_0000

/** RAM that may be asked for: the smallest that any supported kernel can use, the largest memory64 holds with the engine's own state. */
export const RAM_MIN = 1 * MIB
export const RAM_MAX = 15 * GIB

/** First byte of high RAM: 4 GiB. */
export const HIGH_RAM_BASE = 0x1_0000_0000

/**
 * RAM below and above the PCI hole, in bytes. As QEMU's pc: below 3.5 GiB all of it is low RAM; from 3.5 GiB on the split is
 * at 3 GiB, so that both parts are whole gigabytes and 1 GiB pages fit: 4 GiB = [0, 0xc000_0000) + [0x1_0000_0000, 0x1_4000_0000).
 */
export function splitRam(size: number): { low: number; high: number } {
  if (!Number.isSafeInteger(size) || size < RAM_MIN || size > RAM_MAX || size % 4096 !== 0) {
    throw new RangeError(`RAM of ${size} bytes: must be whole pages, 1 MiB to 15 GiB`)
  }
  if (size < 0xe000_0000) return { low: size, high: 0 }
  return { low: 0xc000_0000, high: size - 0xc000_0000 }
}

/** MMIO outside the PCI window. Lengths in bytes. */
export const MMIO = {
  pciWindow: { base: 0xe000_0000, length: 0x1ec0_0000 }, // to 0xfec0_0000, where the IOAPIC begins
  ioapic: { base: 0xfec0_0000, length: 0x1000 },
  hpet: { base: 0xfed0_0000, length: 0x400 },
  lapic: { base: 0xfee0_0000, length: 0x1000 }, // and the target of MSIs, up to 0xfeef_ffff
} as const

/** The part of the PCI window from which the machine gives out BARs at reset: 0xfe00_0000 + 0xc0_0000 = 0xfec0_0000. */
export const PCI_BAR_MMIO = { base: 0xfe00_0000, length: 0xc0_0000 } as const

/** I/O space from which the machine gives out BARs at reset; the guest may move them anywhere from 0xd00 on. */
export const PCI_BAR_IO = { base: 0xc000, length: 0x4000 } as const

/** Bus-master IDE registers (BAR4 of 00:01.1) at reset: the first of the BARs, 2 channels of 8 ports. */
export const BUS_MASTER_IDE = { base: 0xc000, length: 16 } as const

/** Fixed ports. Lengths in ports. */
export const PORT = {
  picMaster: { base: 0x20, length: 2 },
  pit: { base: 0x40, length: 4 },
  i8042Data: { base: 0x60, length: 1 },
  systemControlB: { base: 0x61, length: 1 }, // PIT channel 2 gate and output
  i8042Command: { base: 0x64, length: 1 },
  rtc: { base: 0x70, length: 2 },
  postCode: { base: 0x80, length: 1 }, // written by Linux as a delay
  systemControlA: { base: 0x92, length: 1 }, // fast A20 and reset
  picSlave: { base: 0xa0, length: 2 },
  apm: { base: 0xb2, length: 2 }, // SMI command: ACPI enable and disable
  debugExit: { base: 0xf4, length: 4 }, // isa-debug-exit as test suites place it; present only when asked for
  ideSecondary: { base: 0x170, length: 8 },
  idePrimary: { base: 0x1f0, length: 8 },
  com2: { base: 0x2f8, length: 8 },
  ideSecondaryControl: { base: 0x376, length: 1 },
  idePrimaryControl: { base: 0x3f6, length: 1 },
  com1: { base: 0x3f8, length: 8 },
  elcr: { base: 0x4d0, length: 2 },
  pmBase: { base: 0x600, length: 0x40 }, // PM1a_EVT +0, PM1a_CNT +4, PM_TMR +8 (PIIX4, §7.2)
  pciConfigAddress: { base: 0xcf8, length: 1 }, // 4-byte accesses only; +1 .. +3 are other registers (0xcf9)
  resetControl: { base: 0xcf9, length: 1 },
  pciConfigData: { base: 0xcfc, length: 4 },
  gpe0: { base: 0xafe0, length: 4 }, // as QEMU's pc: 2 status and 2 enable bytes
} as const

/** ACPI mode is switched by writing these to PORT.apm (FADT: SMI_CMD); values as QEMU's. */
export const ACPI_ENABLE = 0xf1
export const ACPI_DISABLE = 0xf0

/** Written to PORT.resetControl: bit 1 hard reset, bit 2 reset now. */
export const RESET_VALUE = 0x06

/** ISA interrupts; each is also the GSI of that number, but for the timer (see ISA_OVERRIDES). */
export const IRQ = {
  timer: 0,
  keyboard: 1,
  cascade: 2,
  com2: 3,
  com1: 4,
  rtc: 8,
  sci: 9,
  pciAB: 10,
  pciCD: 11,
  mouse: 12,
  idePrimary: 14,
  ideSecondary: 15,
} as const

/** IOAPIC pins: GSI 0 to 23. */
export const GSI_COUNT = 24
export const IOAPIC_ID = 0

/** ISA IRQs that reach the IOAPIC otherwise than by the same number, edge-triggered, active high (MADT source overrides). */
export const TIMER_GSI = 2
/** IRQs that are level-triggered, active high: the SCI and what PCI may use. They are also set in the ELCR at reset. */
export const LEVEL_IRQS: readonly number[] = [5, IRQ.sci, IRQ.pciAB, IRQ.pciCD]

/** INTx of a PCI function (pin 1 = INTA .. 4 = INTD) on bus 0 -> PIRQ 0 .. 3 (A .. D), as the i440FX board wires it. */
export function pirqOf(slot: number, pin: number): number {
  return (pin - 1 + slot - 1) & 3
}

/** ISA IRQ and GSI of each PIRQ, A to D: fixed. */
export const PIRQ_IRQS: readonly number[] = [IRQ.pciAB, IRQ.pciAB, IRQ.pciCD, IRQ.pciCD]

/** ISA IRQ and GSI of a PCI function's INTx. The power management function's INTA (00:01.3) is the SCI. */
export function pciIrqOf(slot: number, pin: number): number {
  return slot === 1 && pin === 1 ? IRQ.sci : PIRQ_IRQS[pirqOf(slot, pin)]
}

/**
 * What the loader leaves in conventional memory. boot params stand at 0x9_0000, where kernels before protocol 2.02 look for
 * them and for the command line within 64 KiB after them.
 */
export const BOOT: BootLayout = {
  gdt: 0x500, // 5 descriptors of 8 bytes, after the BIOS data area
  startInfo: { base: 0x7000, length: 0x1000 }, // hvm_start_info or multiboot information
  pageTables: { base: 0x8000, length: 0x6000 }, // PML4, PDPT, 4 page directories: 4 GiB in 2 MiB pages
  stackTop: 0x9_0000, // grows down through unused memory to 0xe000
  bootParams: 0x9_0000, // 4 KiB
  cmdline: { base: 0x9_1000, length: 0x8000 }, // to 0x9_9000
  ebda: { base: 0x9_fc00, length: 0x400 }, // to 0xa_0000
  acpi: { base: 0xe_0000, length: 0xf000 }, // RSDP first; searched for from 0xe_0000 in steps of 16 (ACPI §5.2.5.1)
  facs: { base: 0xe_f000, length: 0x1000 }, // a page of its own: the e820 calls it NVS
  smbios: { base: 0xf_0000, length: 0x1000 }, // searched for from 0xf_0000 (SMBIOS 2.8 §5.2.1)
  firmwareEnd: 0x10_0000,
  highRamBase: HIGH_RAM_BASE,
}

export interface NamedRange {
  readonly name: string
  readonly base: number
  readonly length: number
}

/** Throws when two of the ranges overlap, naming both. */
export function refuseOverlaps(space: string, ranges: readonly NamedRange[]): void {
  const sorted = [...ranges].sort((a, b) => a.base - b.base)
  for (let i = 1; i < sorted.length; i++) {
    const before = sorted[i - 1]
    const after = sorted[i]
    if (after.base < before.base + before.length) {
      throw new Error(`${space}: ${before.name} and ${after.name} overlap at 0x${after.base.toString(16)}`)
    }
  }
}

/** Throws when `inner` leaves `outer`. */
export function refuseOutside(outer: NamedRange, inner: NamedRange): void {
  if (inner.base < outer.base || inner.base + inner.length > outer.base + outer.length) {
    throw new Error(`${inner.name} at 0x${inner.base.toString(16)} is not within ${outer.name}`)
  }
}

/** Checks the tables above and the place of low RAM among them. Called when a machine is built. */
export function checkLayout(ramSize: number): void {
  const named = (table: Readonly<Record<string, { base: number; length: number }>>): NamedRange[] =>
    Object.entries(table).map(([name, range]) => ({ name, base: range.base, length: range.length }))
  const ram = splitRam(ramSize)
  refuseOverlaps('memory', [
    { name: 'low RAM', base: 0, length: ram.low },
    ...named(MMIO),
    { name: 'high RAM', base: HIGH_RAM_BASE, length: ram.high },
  ])
  refuseOverlaps('ports', [...named(PORT), { name: 'pciBars', ...PCI_BAR_IO }])
  refuseOutside({ name: 'pciWindow', ...MMIO.pciWindow }, { name: 'pciBars', ...PCI_BAR_MMIO })
  refuseOutside({ name: 'pciBars', ...PCI_BAR_IO }, { name: 'busMasterIde', ...BUS_MASTER_IDE })
  refuseOverlaps('boot', [
    { name: 'gdt', base: BOOT.gdt, length: 40 },
    ...named({ startInfo: BOOT.startInfo, pageTables: BOOT.pageTables, cmdline: BOOT.cmdline, ebda: BOOT.ebda }),
    { name: 'bootParams', base: BOOT.bootParams, length: 4096 },
    ...named({ acpi: BOOT.acpi, facs: BOOT.facs, smbios: BOOT.smbios }),
  ])
}

/** What the ACPI tables say. `i8042` only when the machine has a keyboard. */
export function acpiConfig(parts: { cpus: number; hpet: boolean; i8042: boolean; com2: boolean }): AcpiConfig {
  return {
    cpus: parts.cpus,
    lapic: MMIO.lapic.base,
    ioapic: { base: MMIO.ioapic.base, id: IOAPIC_ID },
    ...(parts.hpet && { hpet: MMIO.hpet }),
    ...(parts.i8042 && {
      i8042: { data: PORT.i8042Data.base, command: PORT.i8042Command.base, keyboardIrq: IRQ.keyboard },
    }),
    serial: [{ ports: PORT.com1, irq: IRQ.com1 }, ...(parts.com2 ? [{ ports: PORT.com2, irq: IRQ.com2 }] : [])],
    rtc: { ports: PORT.rtc, irq: IRQ.rtc },
    pmBase: PORT.pmBase.base,
    gpe0: PORT.gpe0,
    sciIrq: IRQ.sci,
    smi: { port: PORT.apm.base, enable: ACPI_ENABLE, disable: ACPI_DISABLE },
    reset: { port: PORT.resetControl.base, value: RESET_VALUE },
    timerGsi: TIMER_GSI,
    levelIrqs: LEVEL_IRQS,
    pci: {
      configPorts: { base: PORT.pciConfigAddress.base, length: 8 }, // 0xcf8 to 0xcff
      mmio: MMIO.pciWindow,
      pirqIrqs: PIRQ_IRQS,
      pirqOf,
    },
  }
}
