/**
 * What a machine is made of, as the command line, the window and saved machines describe it. Plain data (it is posted between
 * threads and written as JSON); paths are as the user gave them, relative to the program's working directory.
 */

/** CPU models: `qemu64` is QEMU's default, `max` is everything the engine has; `host` is stored as `max`. */
export type CpuModel = 'qemu64' | 'max'
export type CpuVendor = 'AuthenticAMD' | 'GenuineIntel'

export interface CpuConfig {
  readonly model: CpuModel
  /** Decides SYSENTER/SYSCALL behaviour beside the CPUID string. */
  readonly vendor: CpuVendor
  /** CPUID feature names (QEMU's spelling) switched on or off against the model. Later entries win. */
  readonly features: readonly { readonly name: string; readonly on: boolean }[]
}

export interface DiskConfig {
  readonly file: string
  /** `auto`: told by the file's first bytes when it is opened. */
  readonly format: 'raw' | 'qcow2' | 'auto'
  readonly media: 'disk' | 'cdrom'
  readonly bus: 'ide' | 'virtio'
  /** IDE: unit 0..3 (primary master, primary slave, secondary master, secondary slave). virtio: order of the functions. */
  readonly index: number
  readonly readOnly: boolean
  /** Writes go to a throw-away overlay; the file is never changed. */
  readonly snapshot: boolean
  /** Up to 20 printable ASCII characters. */
  readonly serial?: string
}

export type SecurityModel = 'none' | 'mapped-xattr' | 'passthrough'

export interface ShareConfig {
  readonly path: string
  /** 1..31 bytes; what the guest mounts. */
  readonly mountTag: string
  readonly securityModel: SecurityModel
  readonly readOnly: boolean
}

/** Where COM1's bytes go: the terminal, a file that receives the output, or nowhere. */
export type SerialTarget =
  { readonly kind: 'stdio' } | { readonly kind: 'file'; readonly path: string } | { readonly kind: 'none' }

/** `jit`: translator over interpreter, `interp`: interpreter alone, `both`: one machine of each, compared all the time. */
export type Accelerator = 'jit' | 'interp' | 'both'

export interface MachineConfig {
  readonly name: string
  readonly kernel?: string
  readonly initrd?: string
  /** Kernel command line; empty when there is none. */
  readonly append: string
  /** Guest RAM in bytes; a multiple of 1 MiB, 64 MiB at least for what we boot. */
  readonly memory: number
  readonly cpu: CpuConfig
  readonly accelerator: Accelerator
  readonly disks: readonly DiskConfig[]
  readonly shares: readonly ShareConfig[]
  readonly serial: SerialTarget
  /** `mux`: on the terminal beside the serial port, Ctrl-a c (`-nographic`, `-serial mon:stdio`); `stdio`: the terminal is the monitor's alone. */
  readonly monitor: 'mux' | 'stdio' | 'none'
  /** `none` and `-nographic`: no window; the machine lives in the terminal. */
  readonly display: 'window' | 'none'
  readonly network: 'none'
  /** virtio consoles (hvc0, hvc1, …) beside the serial port; their size follows the window's. None when it is not there. */
  readonly consoles?: number
  /** A virtio entropy device. */
  readonly entropy: boolean
  /** isa-debug-exit: first port and number of ports; a write of v ends the program with (v << 1) | 1. */
  readonly debugExit?: { readonly port: number; readonly size: 1 | 2 | 4 }
  /** A guest reset ends the program (exit 0) instead of starting the kernel again. */
  readonly noReboot: boolean
  /** Wait for `cont` (or the debugger) before the first instruction. */
  readonly startPaused: boolean
  /** TCP port on 127.0.0.1 for gdb. */
  readonly gdbPort?: number
  /** Real-time clock: what the CMOS shows at power-on. `at` is ISO 8601 without zone when the base is a fixed date. */
  readonly rtc: { readonly base: 'utc' | 'localtime' } | { readonly base: 'date'; readonly at: string }
}

/** More than anybody looks at; each is a PCI function. */
export const MOST_CONSOLES = 4

/** What Linux calls the machine's consoles: the serial port, then the virtio consoles. Their order numbers them everywhere. */
export function consoleNames({ consoles = 0 }: Pick<MachineConfig, 'consoles'>): string[] {
  return ['ttyS0', ...Array.from({ length: consoles }, (_, n) => `hvc${n}`)]
}

export const MIB = 1024 * 1024
/** QEMU's default is 128 MiB as well. */
export const DEFAULT_MEMORY = 128 * MIB
/** Below this no kernel we know unpacks itself. */
export const LEAST_MEMORY = 16 * MIB
/** The largest RAM that the engine lays out. */
export const MOST_MEMORY = 4096 * MIB

/** The machine of an empty command line. */
export const defaultMachine: MachineConfig = {
  name: 'Longmode',
  append: '',
  memory: DEFAULT_MEMORY,
  cpu: { model: 'qemu64', vendor: 'AuthenticAMD', features: [] },
  accelerator: 'jit',
  disks: [],
  shares: [],
  serial: { kind: 'stdio' },
  monitor: 'none',
  display: 'window',
  network: 'none',
  entropy: false,
  noReboot: false,
  startPaused: false,
  rtc: { base: 'utc' },
}
