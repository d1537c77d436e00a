import { type Log, silentLog } from '../../base/log.ts'
import type { SnapshotFields } from '../../base/snapshotable.ts'
import type { Device, IrqLine, PortHandler } from '../../bus/bus.ts'
import { bytePorts } from '../../bus/byte-ports.ts'
import type { PowerControl } from '../backends.ts'

/** Status register, port 0x64 (IBM PS/2 Technical Reference, keyboard and auxiliary device controller). */
const STATUS = { OUTPUT_FULL: 0x01, SYSTEM: 0x04, COMMAND: 0x08, UNLOCKED: 0x10, TIMEOUT: 0x40 } as const
/** Controller command byte. */
const COMMAND_BYTE = { KEYBOARD_IRQ: 0x01, SYSTEM: 0x04, KEYBOARD_OFF: 0x10, AUX_OFF: 0x20, TRANSLATE: 0x40 } as const
// prettier-ignore
const CMD = {
  READ_RAM: 0x20, WRITE_RAM: 0x60, AUX_DISABLE: 0xa7, AUX_ENABLE: 0xa8, AUX_TEST: 0xa9, SELF_TEST: 0xaa,
  KEYBOARD_TEST: 0xab, KEYBOARD_DISABLE: 0xad, KEYBOARD_ENABLE: 0xae, READ_INPUT: 0xc0, READ_OUTPUT: 0xd0,
  WRITE_OUTPUT: 0xd1, ECHO_KEYBOARD: 0xd2, ECHO_AUX: 0xd3, WRITE_AUX: 0xd4, A20_OFF: 0xdd, A20_ON: 0xdf, PULSE: 0xf0,
} as const
/** Output port P2. */
const P2 = { NO_RESET: 0x01, A20: 0x02, OUTPUT_FULL: 0x10, REST: 0xcc } as const

const SELF_TEST_PASSED = 0x55
const TEST_PASSED = 0x00
/** Result of the interface test: the clock line is stuck low, as where no port is fitted. */
const CLOCK_STUCK_LOW = 0x01
/** What the controller puts into its output buffer when a device does not answer: "resend", with the time-out bit. */
const NO_ANSWER = 0xfe
/** Nothing pulls the keyboard lock; the manufacturing jumper is open. */
const INPUT_PORT = 0xa0
const VERSION = 1

/** Gate A20 of the board, driven from here and from port 0x92. */
export interface A20Gate {
  a20: boolean
}

/**
 * The keyboard controller, with nothing plugged in: no keyboard and no auxiliary port. A byte sent to the keyboard is answered as
 * a real 8042 answers when no device takes it: 0xFE and the time-out bit, so that a driver gives up at once. Its other work is
 * the machine's: the reset pulse and gate A20.
 */
export class I8042 implements Device {
  readonly name = 'i8042'
  /** Ports 0x60 (data) and 0x64 (command and status). */
  readonly ports: PortHandler

  private readonly irq: IrqLine
  private readonly power: PowerControl
  private readonly gate: A20Gate
  private readonly log: Log

  private ram = new Uint8Array(32)
  private output = 0
  private full = false
  private fromKeyboard = false
  private timedOut = false
  private lastWasCommand = false
  /** The command whose data byte comes next; 0 for none. */
  private waiting = 0

  constructor(irq: IrqLine, power: PowerControl, gate: A20Gate, log: Log = silentLog) {
    this.irq = irq
    this.power = power
    this.gate = gate
    this.log = log
    this.ports = bytePorts(
      (port) => (port & 4 ? this.status() : this.readData()),
      (port, value) => (port & 4 ? this.command(value) : this.writeData(value)),
    )
    this.reset()
  }

  /** As firmware leaves it: tested, keyboard port open, scan codes translated. */
  reset(): void {
    this.ram.fill(0)
    this.ram[0] = COMMAND_BYTE.KEYBOARD_IRQ | COMMAND_BYTE.SYSTEM | COMMAND_BYTE.AUX_OFF | COMMAND_BYTE.TRANSLATE
    this.output = 0
    this.full = this.fromKeyboard = this.timedOut = this.lastWasCommand = false
    this.waiting = 0
    this.gate.a20 = true
    this.irq.set(false)
  }

  save(): SnapshotFields {
    const { output, full, fromKeyboard, timedOut, lastWasCommand, waiting } = this
    return { version: VERSION, ram: this.ram.slice(), output, full, fromKeyboard, timedOut, lastWasCommand, waiting }
  }

  restore(fields: SnapshotFields): void {
    this.ram.set((fields.ram as Uint8Array).subarray(0, 32))
    this.output = Number(fields.output)
    this.full = fields.full === true
    this.fromKeyboard = fields.fromKeyboard === true
    this.timedOut = fields.timedOut === true
    this.lastWasCommand = fields.lastWasCommand === true
    this.waiting = Number(fields.waiting)
    this.update()
  }

  private status(): number {
    const system = this.ram[0] & COMMAND_BYTE.SYSTEM ? STATUS.SYSTEM : 0
    const buffer = (this.full ? STATUS.OUTPUT_FULL : 0) | (this.full && this.timedOut ? STATUS.TIMEOUT : 0)
    return STATUS.UNLOCKED | system | buffer | (this.lastWasCommand ? STATUS.COMMAND : 0)
  }

  private readData(): number {
    this.full = false
    this.update()
    return this.output
  }

  private command(value: number): void {
    this.lastWasCommand = true
    this.waiting = 0
    if ((value & 0xe0) === CMD.READ_RAM) return this.answer(this.ram[value & 0x1f])
    if ((value & 0xe0) === CMD.WRITE_RAM) return this.wait(value)
    if (value >= CMD.PULSE) return this.pulse(value)
    switch (value) {
      case CMD.AUX_TEST:
        return this.answer(CLOCK_STUCK_LOW)
      case CMD.SELF_TEST:
        this.ram[0] |= COMMAND_BYTE.SYSTEM
        return this.answer(SELF_TEST_PASSED)
      case CMD.KEYBOARD_TEST:
        return this.answer(TEST_PASSED)
      case CMD.KEYBOARD_DISABLE:
        return this.writeCommandByte(this.ram[0] | COMMAND_BYTE.KEYBOARD_OFF)
      case CMD.KEYBOARD_ENABLE:
        return this.writeCommandByte(this.ram[0] & ~COMMAND_BYTE.KEYBOARD_OFF)
      case CMD.READ_INPUT:
        return this.answer(INPUT_PORT)
      case CMD.READ_OUTPUT:
        return this.answer(this.outputPort())
      case CMD.A20_OFF:
      case CMD.A20_ON:
        this.gate.a20 = value === CMD.A20_ON
        return
      case CMD.WRITE_OUTPUT:
      case CMD.ECHO_KEYBOARD:
      case CMD.ECHO_AUX:
      case CMD.WRITE_AUX:
        return this.wait(value)
      case CMD.AUX_DISABLE:
      case CMD.AUX_ENABLE:
        return // there is no auxiliary port: its disable bit stays set
      default:
        this.log.warn(this.name, `unknown controller command 0x${value.toString(16)}`)
    }
  }

  private wait(command: number): void {
    this.waiting = command
  }

  private writeData(value: number): void {
    const command = this.waiting
    this.lastWasCommand = false
    this.waiting = 0
    if ((command & 0xe0) === CMD.WRITE_RAM) {
      if (command === CMD.WRITE_RAM) this.writeCommandByte(value)
      else this.ram[command & 0x1f] = value
    } else if (command === CMD.WRITE_OUTPUT) {
      this.gate.a20 = (value & P2.A20) !== 0
      if ((value & P2.NO_RESET) === 0) this.power.reset('keyboard controller output port')
    } else if (command === CMD.ECHO_KEYBOARD || command === CMD.ECHO_AUX) {
      // Without an auxiliary port the second is answered without the mark of an auxiliary byte.
      this.answer(value, true)
    } else {
      // To the keyboard (which sending enables), or to the auxiliary device: nobody is there.
      if (command === 0) this.writeCommandByte(this.ram[0] & ~COMMAND_BYTE.KEYBOARD_OFF)
      this.answer(NO_ANSWER, true, true)
    }
  }

  /** The auxiliary port cannot be switched on. */
  private writeCommandByte(value: number): void {
    this.ram[0] = value | COMMAND_BYTE.AUX_OFF
    this.update()
  }

  /** 0xF0..0xFF pulse the output port's low bits that are 0 in the command; bit 0 is the processor's reset. */
  private pulse(value: number): void {
    if ((value & P2.NO_RESET) === 0) this.power.reset('keyboard controller')
  }

  private outputPort(): number {
    return P2.REST | P2.NO_RESET | (this.gate.a20 ? P2.A20 : 0) | (this.full ? P2.OUTPUT_FULL : 0)
  }

  private answer(value: number, fromKeyboard = false, timedOut = false): void {
    this.output = value
    this.fromKeyboard = fromKeyboard
    this.timedOut = timedOut
    this.full = true
    this.update()
  }

  /** IRQ 1 is for what comes from the keyboard's side; answers of the controller are polled for. */
  private update(): void {
    const enabled = (this.ram[0] & COMMAND_BYTE.KEYBOARD_IRQ) !== 0
    this.irq.set(this.full && this.fromKeyboard && enabled)
  }
}
