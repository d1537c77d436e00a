import { programRows } from './programs.ts'
import { shareRows } from './share.ts'

/** What is measured: a row a workload, the same command on both machines, in the default guest. */
export interface Workload {
  readonly name: string
  readonly group: 'static' | 'system' | 'programs' | 'io'
  /** Shell command in the guest; a checksum at the end of its output must be equal on both machines. */
  readonly command: string
  /** Run once before the measured run, so that caches and translations are warm. */
  readonly warm?: boolean
  /** Undoes the command, before it is run once more; not measured. */
  readonly undo?: string
  /** Finds in the output how much was done in a fixed time: that is compared then, not the CPU time. */
  readonly rate?: RegExp
}

const STATIC = [
  ...['crc32', 'sort', 'matmul-int', 'matmul-double', 'string-search', 'sieve', 'list-walk', 'calls'],
  ...['indirect-calls', 'divide', 'memcpy', 'syscalls', 'page-faults'],
]

/** The last word of the output, where it is a number or a checksum. */
export const checksumOf = (output: string): string | undefined =>
  /\b([0-9a-f]{16}|result \d+)\s*$/.exec(output.trim())?.[1]

const loop = (count: number, body: string) => `i=0; while [ $i -lt ${count} ]; do ${body}; i=$((i+1)); done`

/** Run once after the boot: the bench's own disk (which of two is sda, a guest finds out by chance), and 32 MiB to read that no pipe slows down. */
export const preparation =
  'mount /dev/sda /mnt; [ -e /mnt/program.c ] || { umount /mnt && mount /dev/sdb /mnt; }; ' +
  'dd if=/dev/zero of=/tmp/zero bs=1M count=32 2>/dev/null'

export const workloads: readonly Workload[] = [
  ...STATIC.map((name): Workload => ({ name, group: 'static', command: `/bench/static ${name}`, warm: true })),
  { name: 'ash loop, 200 k', group: 'system', command: loop(200_000, ':'), warm: true },
  { name: 'sha256sum, 32 MiB', group: 'system', command: 'sha256sum /tmp/zero', warm: true },
  { name: 'md5sum, 32 MiB', group: 'system', command: 'md5sum /tmp/zero', warm: true },
  {
    name: 'gzip -9, 6 MB',
    group: 'system',
    command: 'gzip -9 < /bench/static.tar > /tmp/packed',
    warm: true,
  },
  ...programRows,
  { name: '300 fork+exec, static', group: 'system', command: loop(300, '/bin/busybox true'), warm: true },
  { name: '300 fork+exec, dynamic', group: 'system', command: loop(300, '/bench/dynamic'), warm: true },
  {
    name: 'disk write, 64 MiB + fsync',
    group: 'io',
    command: 'dd if=/dev/zero of=/mnt/big bs=1M count=64 conv=fsync 2>/dev/null',
  },
  {
    name: 'disk read, 64 MiB',
    group: 'io',
    command: 'echo 3 > /proc/sys/vm/drop_caches; dd if=/mnt/big of=/dev/null bs=1M 2>/dev/null',
  },
  ...shareRows,
  { name: 'idle, 5 s', group: 'io', command: 'sleep 5' },
]
