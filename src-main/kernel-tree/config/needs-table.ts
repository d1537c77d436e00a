/**
 * Which options a boot needs, why, and what the user would see without them. Quoted text is what Linux or the guest's programs print
 * (init/main.c, init/do_mounts.c, net/9p, mount(8), systemd's README). Rows stand so that what an option depends on comes first.
 */
import type { ConfigFinding } from '../../contract/kernel-tree.ts'
import type { PlanFacts } from './plan-facts.ts'

export interface Need {
  readonly options: readonly string[]
  /** Who needs it; undefined: nobody in this plan. */
  readonly by: (facts: PlanFacts) => string | undefined
  /** `root`: built in, unless an initrd can load it. `builtin`: always built in. `any`: a module will do. `off`: has to be n. */
  readonly as: 'builtin' | 'root' | 'any' | 'off'
  readonly severity: ConfigFinding['severity']
  readonly failure: string
}

const always = (who: string) => () => who
const systemd = ({ userland }: PlanFacts) => (userland === 'systemd' ? 'systemd' : undefined)
const rootOnDisk = ({ root, kernelMountsRoot }: PlanFacts) =>
  kernelMountsRoot && root !== undefined && !/^(ram|nfs|cifs|mtd|ubi|9p)/i.test(root) ? `root=${root}` : undefined
const ide = (facts: PlanFacts) =>
  facts.ideDisk || /^\/dev\/sd/.test(facts.root ?? '')
    ? facts.root?.startsWith('/dev/sd')
      ? `root=${facts.root}`
      : 'the IDE disk'
    : undefined
const virtioDisk = (facts: PlanFacts) =>
  facts.virtioDisk || /^\/dev\/vd/.test(facts.root ?? '')
    ? facts.root?.startsWith('/dev/vd')
      ? `root=${facts.root}`
      : 'the virtio disk'
    : undefined
const share = ({ share: tag }: PlanFacts) => (tag === undefined ? undefined : `the share ${tag}`)
const virtio = (facts: PlanFacts) =>
  share(facts) ?? virtioDisk(facts) ?? (facts.entropy ? 'the entropy device' : undefined)

const noRoot =
  '"VFS: Cannot open root device" and "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)"'
const no9p = '"mount: unknown filesystem type \'9p\'"; a line in fstab for it ends in emergency mode'

export const needs: readonly Need[] = [
  {
    options: ['64BIT'],
    by: always('64-bit programs'),
    as: 'builtin',
    severity: 'fatal',
    failure: 'a 32-bit kernel cannot run the 64-bit programs of the disk: "Failed to execute /sbin/init (error -8)"',
  },
  {
    options: ['PRINTK'],
    by: always('messages'),
    as: 'builtin',
    severity: 'broken',
    failure: 'the kernel prints nothing at all, and dmesg is empty',
  },
  {
    options: ['TTY', 'SERIAL_8250', 'SERIAL_8250_CONSOLE'],
    by: ({ serialConsole }) => serialConsole,
    as: 'builtin',
    severity: 'fatal',
    failure: 'the console stays dark: not one line of the kernel, no login',
  },
  {
    options: ['BINFMT_ELF'],
    by: always('every program'),
    as: 'builtin',
    severity: 'fatal',
    failure: '"Kernel panic - not syncing: No working init found."',
  },
  {
    options: ['BINFMT_SCRIPT'],
    by: always('scripts'),
    as: 'any',
    severity: 'broken',
    failure: 'scripts that begin with #! end with "Exec format error"; an initramfs whose /init is a script stops',
  },
  {
    options: ['PCI'],
    by: always('disks and shares'),
    as: 'builtin',
    severity: 'fatal',
    failure: `no disk and no share is found: ${noRoot}`,
  },
  {
    options: ['ACPI'],
    by: always('poweroff'),
    as: 'builtin',
    severity: 'broken',
    failure: '"reboot: Power down" is printed, and then the machine goes on for ever',
  },
  {
    options: ['MULTIUSER'],
    by: always('users'),
    as: 'builtin',
    severity: 'broken',
    failure: 'every process is root; login and su end with "Function not implemented"',
  },
  {
    options: ['BLOCK', 'SCSI', 'BLK_DEV_SD', 'ATA', 'ATA_SFF', 'ATA_BMDMA', 'ATA_PIIX'],
    by: ide,
    as: 'root',
    severity: 'fatal',
    failure: `the IDE disk (PIIX3) is not found: ${noRoot}`,
  },
  {
    options: ['VIRTIO_MENU', 'VIRTIO_PCI'],
    by: virtio,
    as: 'root',
    severity: 'broken',
    failure: 'no virtio device is found: "9pnet_virtio: no channels available for device", no /dev/vda',
  },
  {
    options: ['BLOCK', 'BLK_DEV', 'VIRTIO_BLK'],
    by: virtioDisk,
    as: 'root',
    severity: 'fatal',
    failure: `/dev/vda is not there: ${noRoot}`,
  },
  {
    options: ['BLK_DEV_SR', 'ISO9660_FS'],
    by: ({ cdrom }) => (cdrom ? 'the CD-ROM' : undefined),
    as: 'any',
    severity: 'broken',
    failure: 'the CD-ROM has no /dev/sr0, or "mount: unknown filesystem type \'iso9660\'"',
  },
  {
    options: ['EXT4_FS'],
    by: (facts) => (facts.rootType === undefined || facts.rootType === 'ext4' ? rootOnDisk(facts) : undefined),
    as: 'root',
    severity: 'fatal',
    failure: '"VFS: Unable to mount root fs on unknown-block(8,0)": the disk is there, but nothing can read its ext4',
  },
  {
    options: ['MSDOS_PARTITION', 'EFI_PARTITION'],
    by: ({ root }) => (/^(\/dev\/[sv]d[a-z]\d|PARTUUID=)/.test(root ?? '') ? `root=${root}` : undefined),
    as: 'builtin',
    severity: 'fatal',
    failure: `the partition is not seen: ${noRoot}`,
  },
  {
    options: ['BLK_DEV_INITRD', 'RD_GZIP'],
    by: ({ initrd }) => (initrd ? 'the initrd' : undefined),
    as: 'builtin',
    severity: 'fatal',
    failure: `the initrd is ignored: ${noRoot}`,
  },
  {
    options: ['DEVTMPFS', 'DEVTMPFS_MOUNT'],
    by: ({ kernelMountsRoot }) => (kernelMountsRoot ? '/dev' : undefined),
    as: 'builtin',
    severity: 'fatal',
    failure: '"Warning: unable to open an initial console.", and systemd finds no /dev/ttyS0 to put a login on',
  },
  {
    options: ['PROC_FS', 'SYSFS', 'TMPFS'],
    by: always('/proc, /sys and /run'),
    as: 'builtin',
    severity: 'broken',
    failure:
      '"mount: unknown filesystem type \'proc\'" (or sysfs, tmpfs); systemd stops with "Failed to mount API filesystems"',
  },
  {
    options: ['POSIX_TIMERS', 'FUTEX', 'SHMEM', 'FILE_LOCKING', 'ADVISE_SYSCALLS'],
    by: always('the C library'),
    as: 'builtin',
    severity: 'broken',
    failure: 'system calls that the C library counts on answer "Function not implemented"',
  },
  {
    options: ['CGROUPS', 'EPOLL', 'SIGNALFD', 'TIMERFD', 'EVENTFD', 'INOTIFY_USER', 'FHANDLE', 'NET', 'UNIX'],
    by: systemd,
    as: 'builtin',
    severity: 'fatal',
    failure: 'systemd stops early: "Failed to allocate manager object" or "Freezing execution"',
  },
  {
    options: [
      'NAMESPACES',
      'UTS_NS',
      'IPC_NS',
      'USER_NS',
      'PID_NS',
      'NET_NS',
      'SECCOMP',
      'SECCOMP_FILTER',
      'TMPFS_XATTR',
      'TMPFS_POSIX_ACL',
      'KCMP',
      'AUTOFS_FS',
    ],
    by: systemd,
    as: 'any',
    severity: 'advice',
    failure: 'some services fail to start ("status=226/NAMESPACE"), others run without their sandbox',
  },
  {
    options: ['BASE_FULL'],
    by: systemd,
    as: 'builtin',
    severity: 'advice',
    failure: '"Failed to start systemd-sysctl.service": pid_max cannot be as large as the system asks for',
  },
  {
    options: ['NET', 'NETWORK_FILESYSTEMS', 'NET_9P', '9P_FS'],
    by: share,
    as: 'any',
    severity: 'broken',
    failure: no9p,
  },
  {
    options: ['NET_9P_VIRTIO'],
    by: share,
    as: 'any',
    severity: 'broken',
    failure: '"9pnet: Could not find request transport: virtio": the mount of the share fails',
  },
  {
    options: ['HW_RANDOM', 'HW_RANDOM_VIRTIO'],
    by: ({ entropy }) => (entropy ? 'the entropy device' : undefined),
    as: 'any',
    severity: 'advice',
    failure: 'programs may wait for random numbers at the first boot',
  },
  {
    options: ['IA32_EMULATION'],
    by: always('32-bit programs'),
    as: 'builtin',
    severity: 'advice',
    failure: 'programs of gcc -m32 end with "Exec format error"',
  },
  {
    options: ['UNIX98_PTYS'],
    by: always('terminals'),
    as: 'builtin',
    severity: 'advice',
    failure: 'script, tmux and ssh find no pseudo-terminal',
  },
  {
    options: ['X86_LOCAL_APIC', 'X86_IO_APIC'],
    by: always('interrupts'),
    as: 'builtin',
    severity: 'advice',
    failure: 'MSI is not used and timers tick by the old PIT: everything works, but slower',
  },
  {
    options: ['RANDOMIZE_BASE'],
    by: ({ kaslrOff }) => (kaslrOff ? undefined : 'symbols'),
    as: 'off',
    severity: 'advice',
    failure:
      'addresses of the running kernel are not those of vmlinux: the debugger and the memory view show no names (or add nokaslr to the command line)',
  },
]
