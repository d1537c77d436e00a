/** The description of a machine (machine/config.ts) as a schema: for what windows send and what saved machines hold. */
import * as v from 'valibot'
import { LEAST_MEMORY, MIB, MOST_CONSOLES, MOST_MEMORY, type MachineConfig } from '../machine/config.ts'

/** Longest text of one field; a kernel command line has 2048 bytes at most. */
const text = v.pipe(v.string(), v.maxLength(4096))
const filePath = v.pipe(
  text,
  v.nonEmpty('a file is missing; choose one'),
  v.check((value) => !value.includes('\0'), 'a path with a zero byte'),
)
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535))

const disk = v.object({
  file: filePath,
  format: v.picklist(['raw', 'qcow2', 'auto']),
  media: v.picklist(['disk', 'cdrom']),
  bus: v.picklist(['ide', 'virtio']),
  index: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(31)),
  readOnly: v.boolean(),
  snapshot: v.boolean(),
  serial: v.exactOptional(
    v.pipe(v.string(), v.regex(/^[\x20-\x7e]{0,20}$/, 'a serial number has up to 20 characters')),
  ),
})

const MOUNT_TAG = 'a mount tag has 1 to 31 bytes and no blanks; choose another one'
const share = v.object({
  path: filePath,
  mountTag: v.pipe(v.string(), v.regex(/^\S+$/, MOUNT_TAG), v.maxBytes(31, MOUNT_TAG)),
  securityModel: v.picklist(['none', 'mapped-xattr', 'passthrough']),
  readOnly: v.boolean(),
})

const serial = v.variant('kind', [
  v.object({ kind: v.literal('stdio') }),
  v.object({ kind: v.literal('file'), path: filePath }),
  v.object({ kind: v.literal('none') }),
])

const rtc = v.variant('base', [
  v.object({ base: v.picklist(['utc', 'localtime']) }),
  v.object({ base: v.literal('date'), at: v.pipe(v.string(), v.isoTimestamp()) }),
])

const cpu = v.object({
  model: v.picklist(['qemu64', 'max']),
  vendor: v.picklist(['AuthenticAMD', 'GenuineIntel']),
  features: v.pipe(
    v.array(v.object({ name: v.pipe(v.string(), v.regex(/^[\w.-]{1,40}$/)), on: v.boolean() })),
    v.maxLength(200),
  ),
})

const machineConfig = v.object({
  name: v.pipe(v.string(), v.nonEmpty('the machine needs a name'), v.maxLength(100)),
  kernel: v.exactOptional(filePath),
  initrd: v.exactOptional(filePath),
  append: text,
  memory: v.pipe(
    v.number(),
    v.multipleOf(MIB, 'memory is a whole number of MiB'),
    v.minValue(LEAST_MEMORY, `at least ${LEAST_MEMORY / MIB} MiB of memory`),
    v.maxValue(MOST_MEMORY, `at most ${MOST_MEMORY / MIB} MiB of memory`),
  ),
  cpu,
  accelerator: v.picklist(['jit', 'interp', 'both']),
  disks: v.pipe(v.array(disk), v.maxLength(32)),
  shares: v.pipe(v.array(share), v.maxLength(16)),
  serial,
  monitor: v.picklist(['mux', 'stdio', 'none']),
  display: v.picklist(['window', 'none']),
  network: v.literal('none'),
  consoles: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MOST_CONSOLES))),
  entropy: v.boolean(),
  debugExit: v.exactOptional(
    v.object({
      port: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff)),
      size: v.picklist([1, 2, 4]),
    }),
  ),
  noReboot: v.boolean(),
  startPaused: v.boolean(),
  gdbPort: v.exactOptional(port),
  rtc,
})

export const machineConfigSchema: v.GenericSchema<unknown, MachineConfig> = machineConfig
/** The names of all fields, optional ones too. */
export const machineFields: readonly string[] = Object.keys(machineConfig.entries)
