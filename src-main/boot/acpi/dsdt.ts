import * as aml from './aml.ts'
import type { Aml } from './aml.ts'
import type { AcpiConfig } from './config.ts'

const SLOTS = 32
const PINS = 4
const LINKS = ['LNKA', 'LNKB', 'LNKC', 'LNKD'] as const
/** The slot with the ISA bridge; INTA of its power management function is wired to the SCI. */
const ISA_SLOT = 1

/** _STA: present, enabled, working; not shown in a user interface (ACPI 6.4 §6.3.7). */
const STA_HIDDEN = 0x0b

/** SLP_TYP of S5 (soft off) in PM1a_CNT: 0, as the PIIX4 has it (82371AB §7.1.8). */
export const SLP_TYP_S5 = 0

/** The body of the DSDT: devices that cannot be found by probing, interrupt wiring, and how to turn off. */
export function buildDsdtBody(config: AcpiConfig): Aml {
  return aml.concat([
    aml.scope('\\_SB', [
      aml.device('PCI0', [
        aml.name('_HID', aml.eisaId('PNP0A03')),
        aml.name('_UID', aml.integer(0)),
        aml.name('_BBN', aml.integer(0)),
        aml.name('_CRS', hostBridgeWindows(config)),
        aml.name('_PRT', routing(config)),
        aml.device('ISA', [aml.name('_ADR', aml.integer(ISA_SLOT << 16)), ...isaDevices(config)]),
      ]),
      ...LINKS.map((link, index) => interruptLink(link, index, config.pci.pirqIrqs[index])),
      sciLink(config),
      ...(config.hpet ? [hpet(config.hpet.base, config.hpet.length)] : []),
    ]),
    aml.name('\\_S5', aml.packageOf([SLP_TYP_S5, SLP_TYP_S5, 0, 0].map(aml.integer))),
  ])
}

/** What the host bridge passes to bus 0: every port but its own, the legacy VGA area and the PCI window. */
function hostBridgeWindows({ pci }: AcpiConfig): Aml {
  const { configPorts, mmio } = pci
  const configEnd = configPorts.base + configPorts.length
  return aml.resources([
    aml.busWindow(0, 0xff),
    aml.ioPort(configPorts.base, configPorts.length),
    aml.ioWindow(0, configPorts.base - 1),
    aml.ioWindow(configEnd, 0xffff),
    aml.memoryWindow(0xa_0000, 0xb_ffff, true),
    aml.memoryWindow(mmio.base, mmio.base + mmio.length - 1, false),
  ])
}

/** _PRT (§6.2.13): [slot and any function, pin, link, 0] for every slot of bus 0 but the host bridge's own. */
function routing({ pci }: AcpiConfig): Aml {
  const entries: Aml[] = []
  for (let slot = 1; slot < SLOTS; slot++) {
    for (let pin = 1; pin <= PINS; pin++) {
      const link = slot === ISA_SLOT && pin === 1 ? 'LNKS' : LINKS[pci.pirqOf(slot, pin)]
      const address = aml.integer(slot * 0x1_0000 + 0xffff)
      entries.push(aml.packageOf([address, aml.integer(pin - 1), aml.reference(`\\_SB.${link}`), aml.integer(0)]))
    }
  }
  return aml.packageOf(entries)
}

/**
 * An interrupt link with one possible setting. Links rather than bare GSIs in _PRT, because only a link can say that the
 * interrupt is active high: for a bare GSI the operating system assumes PCI's active low.
 */
function interruptLink(path: string, uid: number, irq: number): Aml {
  const setting = aml.resources([aml.interruptLevel(irq)])
  return aml.device(path, [
    aml.name('_HID', aml.eisaId('PNP0C0F')),
    aml.name('_UID', aml.integer(uid)),
    aml.name('_STA', aml.integer(STA_HIDDEN)),
    aml.name('_PRS', setting),
    aml.name('_CRS', setting),
    aml.emptyMethod('_DIS', 0),
    aml.emptyMethod('_SRS', 1),
  ])
}

function sciLink(config: AcpiConfig): Aml {
  return interruptLink('LNKS', LINKS.length, config.sciIrq)
}

function isaDevices(config: AcpiConfig): Aml[] {
  const { rtc, serial, i8042 } = config
  const devices = [
    aml.device('RTC', [
      aml.name('_HID', aml.eisaId('PNP0B00')),
      aml.name('_CRS', aml.resources([aml.ioPort(rtc.ports.base, rtc.ports.length), aml.irqEdge(rtc.irq)])),
    ]),
    ...serial.map(({ ports, irq }, index) =>
      aml.device(`COM${index + 1}`, [
        aml.name('_HID', aml.eisaId('PNP0501')),
        aml.name('_UID', aml.integer(index + 1)),
        aml.name('_CRS', aml.resources([aml.ioPort(ports.base, ports.length), aml.irqEdge(irq)])),
      ]),
    ),
  ]
  if (i8042) {
    const ports = [aml.ioPort(i8042.data, 1), aml.ioPort(i8042.command, 1), aml.irqEdge(i8042.keyboardIrq)]
    devices.push(aml.device('KBD', [aml.name('_HID', aml.eisaId('PNP0303')), aml.name('_CRS', aml.resources(ports))]))
  }
  return devices
}

function hpet(base: number, length: number): Aml {
  return aml.device('HPET', [
    aml.name('_HID', aml.eisaId('PNP0103')),
    aml.name('_UID', aml.integer(0)),
    aml.name('_CRS', aml.resources([aml.memoryFixed(base, length)])),
  ])
}
