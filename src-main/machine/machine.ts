/** The whole machine: CPU, chipset and devices wired together (machine/layout.ts says where), and how it starts a kernel. */
import type { Log } from '../base/log.ts'
import { placeAcpi } from '../boot/acpi/place.ts'
import { loadKernel } from '../boot/load.ts'
import { placeSmbios } from '../boot/smbios.ts'
import type { BootResult } from '../boot/types.ts'
import type { Device, MmioHandler, PortHandler, Width } from '../bus/bus.ts'
import { IrqRouter } from '../bus/irq-router.ts'
import { MmioRouter } from '../bus/mmio-router.ts'
import { PortRouter } from '../bus/port-router.ts'
import type { Core } from '../cpu/core.ts'
import { Cpu } from '../cpu/cpu.ts'
import type { CpuHost } from '../cpu/cpu-host.ts'
import { LocalApic } from '../cpu/interrupts/local-apic.ts'
import { AT, memoryMap, type MemoryMap } from '../cpu/state/layout.ts'
import { AcpiPm } from '../devices/acpi-pm/acpi-pm.ts'
import type {
  BlockBackend,
  CharBackend,
  ConsoleBackend,
  NineBackend,
  PowerControl,
  RandomBackend,
} from '../devices/backends.ts'
import { DebugExit } from '../devices/debug-exit/debug-exit.ts'
import { Hpet } from '../devices/hpet/hpet.ts'
import { I8042 } from '../devices/i8042/i8042.ts'
import { Piix3Ide } from '../devices/ide/controller.ts'
import { AtapiDrive } from '../devices/ide/atapi.ts'
import { AtaDisk } from '../devices/ide/disk.ts'
import type { Drive } from '../devices/ide/drive.ts'
import { IoApic } from '../devices/ioapic/ioapic.ts'
import { assignResources } from '../devices/pci/assign.ts'
import { PciBus } from '../devices/pci/bus.ts'
import { HostBridge, Piix3Isa, Piix4Pm } from '../devices/pci/chipset.ts'
import type { PciFunction } from '../devices/pci/function.ts'
import { Pic } from '../devices/pic/pic.ts'
import { Pit } from '../devices/pit/pit.ts'
import { DmaRegisters } from '../devices/port-misc/dma-registers.ts'
import { SystemControl } from '../devices/port-misc/system-control.ts'
import { Rtc } from '../devices/rtc/rtc.ts'
import { Serial } from '../devices/serial/serial.ts'
import { Ram } from '../memory/ram.ts'
import type { MachineConfig } from './config.ts'
import {
  ACPI_DISABLE,
  ACPI_ENABLE,
  acpiConfig,
  BOOT,
  checkLayout,
  IRQ,
  LEVEL_IRQS,
  MMIO,
  PCI_BAR_IO,
  PCI_BAR_MMIO,
  PIRQ_IRQS,
  PORT,
  splitRam,
} from './layout.ts'
import type { MachineClock } from './machine-clock.ts'

/** What the host gives a machine. Disks and shares are in the order of the configuration. */
export interface MachineBackends {
  readonly serial: CharBackend
  /** Of the virtio consoles, hvc0 first. */
  readonly consoles: readonly ConsoleBackend[]
  readonly disks: readonly BlockBackend[]
  readonly shares: readonly NineBackend[]
  readonly random: RandomBackend
  readonly power: PowerControl
  readonly log: Log
  readonly kernel: Uint8Array | undefined
  readonly kernelName: string
  readonly initrd: Uint8Array | undefined
  /** Seconds since 1970 that the RTC shows at power-on. */
  readonly startSeconds: number
}

/** Makes the PCI functions of virtio devices; `msi` delivers their messages. */
export type VirtioFactory = (parts: {
  readonly memory: Ram
  readonly apic: LocalApic
  readonly backends: MachineBackends
  readonly config: MachineConfig
}) => readonly PciFunction[]

/** The TSC counts nanoseconds of guest time. */
export const TSC_HZ = 1e9

export interface MachineMemory {
  readonly map: MemoryMap
  readonly memory: WebAssembly.Memory
}

/** Memory for the engine's state and the guest's RAM of `bytes`. Throws RangeError when the host has not that much. */
export function allocateMemory(bytes: number): MachineMemory {
  checkLayout(bytes)
  const { low, high } = splitRam(bytes)
  const map = memoryMap(low, high)
  const pages = map.is64 ? BigInt(map.pages64K) : map.pages64K
  const memory = new WebAssembly.Memory({
    initial: pages,
    maximum: pages,
    shared: true,
    address: map.is64 ? 'i64' : 'i32',
  })
  return { map, memory }
}

export class Machine {
  readonly cpu: Cpu
  readonly apic: LocalApic
  readonly ram: Ram
  readonly serial: Serial
  readonly irqs: IrqRouter
  readonly devices: readonly Device[]
  readonly ports = new PortRouter()
  readonly mmio = new MmioRouter()
  private readonly config: MachineConfig
  private readonly backends: MachineBackends
  private readonly map: MemoryMap
  private readonly pci: PciBus
  private readonly isa: Piix3Isa
  private readonly pm: Piix4Pm
  private readonly acpi: AcpiPm
  private readonly ide: Piix3Ide
  private readonly pic: Pic

  constructor(
    config: MachineConfig,
    memory: MachineMemory,
    clock: MachineClock,
    backends: MachineBackends,
    core: Core,
    virtio: VirtioFactory,
  ) {
    this.config = config
    this.backends = backends
    this.map = memory.map
    const { log, power } = backends
    const { map } = memory
    const layout = { base: map.ramBase, lowSize: map.lowSize, highSize: map.highSize }
    this.ram = new Ram(memory.memory.buffer, layout, (gpa, length) => {
      const at = this.cpu.ramAddress(gpa)
      if (at >= 0) this.cpu.written(at, length)
    })
    this.apic = new LocalApic({ timers: clock, log, timeAtTsc: (tsc) => Number(tsc) })
    this.cpu = new Cpu(memory.memory, map, this.cpuHost(clock), core)
    // Raised inside an instruction (a device that answers at once): delivered when the guest allows it, not at the end of the slice.
    this.apic.onPending = () => this.cpu.setU32(AT.attention, 1)
    const ioapic = new IoApic(this.apic)
    this.pic = new Pic({ raise: () => this.apic.setLint0(true), lower: () => this.apic.setLint0(false) })
    this.apic.external = this.pic
    this.apic.onEoi = (vector) => ioapic.endOfInterrupt(vector)
    const irqs = new IrqRouter(this.pic, ioapic)
    this.irqs = irqs
    const gate = { a20: true }
    const pit = new Pit(irqs.isa(IRQ.timer), clock)
    const rtc = new Rtc({
      timers: clock,
      irq: irqs.isa(IRQ.rtc),
      startSeconds: backends.startSeconds,
      memory: { low: map.lowSize, high: map.highSize },
    })
    const hpet = new Hpet({
      timers: clock,
      irq0: irqs.isa(IRQ.timer),
      irq8: irqs.isa(IRQ.rtc),
      setInput: (input, level) => ioapic.set(input, level),
      onLegacy: (on) => {
        pit.connectIrq(!on)
        rtc.connectIrq(!on)
      },
    })
    this.serial = new Serial('serial0', backends.serial, irqs.isa(IRQ.com1), clock)
    const i8042 = new I8042(irqs.isa(IRQ.keyboard), power, gate, log)
    const system = new SystemControl(power, gate)
    const dma = new DmaRegisters(log)
    const pm = new AcpiPm({
      ports: this.ports,
      sci: irqs.isa(IRQ.sci),
      power,
      timers: clock,
      log,
      acpiEnable: ACPI_ENABLE,
      acpiDisable: ACPI_DISABLE,
      sleepTypeS5: 0,
    })
    this.mapPorts({ pit, rtc, i8042, system, dma, pm })
    this.mapMmio(ioapic, hpet)
    const lines = [0, 1, 2, 3].map((n) => irqs.intx(n))
    this.pci = new PciBus({
      ports: this.ports,
      mmio: this.mmio,
      pirq: (pirq, level) => lines[pirq]!.set(level),
      power,
      log,
    })
    this.isa = new Piix3Isa((pirq, irq) => irqs.routePirq(pirq, irq))
    this.acpi = pm
    this.pm = new Piix4Pm((base) => pm.setPmBase(base))
    this.ide = this.makeIde(irqs)
    this.pci.add(0, 0, new HostBridge())
    this.pci.add(1, 0, this.isa)
    this.pci.add(1, 1, this.ide)
    this.pci.add(1, 3, this.pm)
    virtio({ memory: this.ram, apic: this.apic, backends, config }).forEach((device, n) =>
      this.pci.add(2 + n, 0, device),
    )
    const extra = this.debugExit(power)
    this.devices = [
      this.pic,
      ioapic,
      pit,
      rtc,
      hpet,
      this.serial,
      i8042,
      system,
      dma,
      pm,
      this.pci,
      ...this.pci.functions.values(),
      ...extra,
    ]
  }

  /** Presses the power button; a guest with ACPI switches off when its user space wants to. */
  powerButton(): void {
    this.acpi.powerButton()
  }

  private cpuHost(clock: MachineClock): CpuHost {
    const { backends } = this
    const warned = new Set<string>()
    return {
      mmioRead: (gpa, target) => this.readMmio(gpa, target),
      mmioWrite: (gpa, source) => this.writeMmio(gpa, source),
      portRead: (port, width) => this.ports.read(port, width),
      portWrite: (port, width, value) => this.ports.write(port, width, value),
      tsc: () => BigInt(clock.now()),
      apic: {
        getTaskPriority: () => this.apic.cr8,
        setTaskPriority: (value) => {
          this.apic.cr8 = value
        },
        readMsr: (index) =>
          index === 0x1b ? this.apic.readBase() : index === 0x6e0 ? this.apic.tscDeadline : this.apic.readMsr(index),
        writeMsr: (index, value) => {
          if (index === 0x1b) return this.apic.writeBase(value)
          if (index !== 0x6e0) return this.apic.writeMsr(index, value)
          this.apic.tscDeadline = value
          return true
        },
      },
      random: (target) => backends.random.fill(target),
      warn: (text) => {
        if (warned.has(text)) return
        warned.add(text)
        backends.log.warn('cpu', text)
      },
    }
  }

  /** The bus does at most 4 bytes at a time; naturally aligned pieces. */
  private readMmio(gpa: number, target: Uint8Array): void {
    const view = new DataView(target.buffer, target.byteOffset, target.length)
    eachPiece(gpa, target.length, (at, width) => {
      const value = this.mmio.read(gpa + at, width)
      if (width === 4) view.setUint32(at, value, true)
      else if (width === 2) view.setUint16(at, value, true)
      else view.setUint8(at, value)
    })
  }
  private writeMmio(gpa: number, source: Uint8Array): void {
    const view = new DataView(source.buffer, source.byteOffset, source.length)
    eachPiece(gpa, source.length, (at, width) => {
      const value = width === 4 ? view.getUint32(at, true) : width === 2 ? view.getUint16(at, true) : view.getUint8(at)
      this.mmio.write(gpa + at, width, value)
    })
  }

  private mapPorts(parts: {
    pit: Pit
    rtc: Rtc
    i8042: I8042
    system: SystemControl
    dma: DmaRegisters
    pm: AcpiPm
  }): void {
    const { pit, rtc, i8042, system, dma, pm } = parts
    const map = (owner: string, range: { base: number; length: number }, handler: PortHandler) =>
      this.ports.map(owner, range.base, range.length, handler)
    map('pic', PORT.picMaster, this.pic.masterPorts)
    map('pic', PORT.picSlave, this.pic.slavePorts)
    map('elcr', PORT.elcr, this.pic.elcrPorts)
    map('pit', PORT.pit, pit)
    map('port-b', PORT.systemControlB, pit.portB)
    map('i8042', PORT.i8042Data, i8042.ports)
    map('i8042', PORT.i8042Command, i8042.ports)
    map('rtc', PORT.rtc, rtc)
    map('post-code', PORT.postCode, system.postCode)
    map('port-a', PORT.systemControlA, system.portA)
    map('apm', PORT.apm, pm.apmPorts)
    map('gpe0', PORT.gpe0, pm.gpePorts)
    map('serial0', PORT.com1, this.serial)
    this.ports.mapByte('reset-control', PORT.resetControl.base, system.resetControl)
    this.ports.map('isa-dma', 0x00, 16, dma.first)
    this.ports.map('isa-dma', 0xc0, 32, dma.second)
    this.ports.map('isa-dma', 0x81, 15, dma.pages)
  }

  private mapMmio(ioapic: IoApic, hpet: Hpet): void {
    this.mmio.map('ioapic', MMIO.ioapic.base, MMIO.ioapic.length, ioapic)
    this.mmio.map('hpet', MMIO.hpet.base, MMIO.hpet.length, hpet)
    const handler: MmioHandler = {
      readMmio: (offset, width) => this.apic.readMmio(offset, width),
      writeMmio: (offset, width, value) => this.apic.writeMmio(offset, width, value),
    }
    let page = this.mmio.map('local-apic', MMIO.lapic.base, MMIO.lapic.length, handler)
    this.apic.onMove = (gpa) => {
      page.remove()
      if (gpa !== undefined) page = this.mmio.map('local-apic', gpa, MMIO.lapic.length, handler)
    }
  }

  private makeIde(irqs: IrqRouter): Piix3Ide {
    const drives: (Drive | undefined)[] = [undefined, undefined, undefined, undefined]
    this.config.disks.forEach((disk, n) => {
      if (disk.bus !== 'ide') return
      const backend = this.backends.disks[n]!
      drives[disk.index] = disk.media === 'disk' ? new AtaDisk(backend) : new AtapiDrive(backend)
    })
    return new Piix3Ide({
      ports: this.ports,
      memory: this.ram,
      drives,
      channels: [
        {
          name: 'ide0',
          commandPort: PORT.idePrimary.base,
          controlPort: PORT.idePrimaryControl.base,
          irq: irqs.isa(IRQ.idePrimary),
        },
        {
          name: 'ide1',
          commandPort: PORT.ideSecondary.base,
          controlPort: PORT.ideSecondaryControl.base,
          irq: irqs.isa(IRQ.ideSecondary),
        },
      ],
    })
  }

  private debugExit(power: PowerControl): Device[] {
    const { debugExit } = this.config
    if (!debugExit) return []
    const device = new DebugExit(power)
    this.ports.map(device.name, debugExit.port, debugExit.size, device)
    return [device]
  }

  /** Everything but the CPU to its reset state, then what firmware would have set up, and the kernel loaded anew. */
  boot(): BootResult {
    for (const device of this.devices) device.reset()
    this.apic.reset()
    this.apic.setVirtualWire()
    this.isa.routePirqs(PIRQ_IRQS)
    assignResources(this.pci, {
      ioFirst: PCI_BAR_IO.base,
      ioLimit: PCI_BAR_IO.base + PCI_BAR_IO.length,
      memoryFirst: PCI_BAR_MMIO.base,
      memoryLimit: PCI_BAR_MMIO.base + PCI_BAR_MMIO.length,
      pirqIrqs: PIRQ_IRQS,
    })
    this.pm.enable(PORT.pmBase.base)
    this.ide.enableChannels()
    for (const irq of LEVEL_IRQS) {
      const port = PORT.elcr.base + (irq >> 3)
      this.ports.write(port, 1, this.ports.read(port, 1) | (1 << (irq & 7)))
    }
    const ram = { low: this.map.lowSize, high: this.map.highSize }
    const rsdp = placeAcpi(this.ram, BOOT, acpiConfig({ cpus: 1, hpet: true, i8042: false, com2: false }))
    placeSmbios(this.ram, BOOT, { version: '1', ram })
    const { kernel, initrd, kernelName } = this.backends
    return loadKernel(
      {
        kernel: kernel ?? new Uint8Array(0),
        kernelName,
        cmdline: this.config.append,
        memory: this.ram,
        ram,
        layout: BOOT,
        rsdp,
        ...(initrd && { initrd }),
      },
      { com1: PORT.com1.base },
    )
  }
}

function eachPiece(gpa: number, length: number, one: (at: number, width: Width) => void): void {
  for (let at = 0; at < length;) {
    const left = length - at
    const address = gpa + at
    const width: Width = left >= 4 && address % 4 === 0 ? 4 : left >= 2 && address % 2 === 0 ? 2 : 1
    one(at, width)
    at += width
  }
}
