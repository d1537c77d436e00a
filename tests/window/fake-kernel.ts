/** A kernel tree that exists only in tests of the window. */
import type {
  BuildState,
  ConfigReport,
  KernelTree,
  Recipe,
  ScaffoldPlan,
  SyscallPlace,
  SyscallReport,
  ToolchainReport,
} from '../../src-main/contract/kernel-tree.ts'
import type { Build, HistoryEntry } from '../../src-main/contract/services/kernel.ts'

const file = (path: string) => ({ path: `/home/ana/linux/${path}`, bytes: 9_437_184, modified: 0 })

export const fakeTree: KernelTree = {
  folder: '/home/ana/linux',
  output: '/home/ana/linux',
  version: { text: '6.1.119', major: 6, minor: 1, patch: 119, extra: '' },
  nickname: 'Curry Ramen',
  release: '6.1.119-tut',
  config: file('.config'),
  architecture: 'x86_64',
  bzImage: file('arch/x86/boot/bzImage'),
  vmlinux: file('vmlinux'),
  git: { branch: 'memcpy', commit: '0123456789abcdef', changed: ['kernel/memcpy.c'] },
}

export const fakeState: BuildState = { state: 'stale', changed: ['kernel/memcpy.c', 'kernel/Makefile'] }

export const fakeToolchain: ToolchainReport = {
  platform: 'linux',
  distribution: 'debian',
  tools: [
    { name: 'gcc', purpose: 'compiles the kernel', found: true, version: '12.2.0', required: true },
    { name: 'flex', purpose: 'reads Kconfig', found: false, required: true },
    { name: 'ccache', purpose: 'keeps compiled objects', found: false, required: false },
  ],
  missing: ['flex'],
  install: 'sudo apt-get install -y flex',
  ready: false,
}

export const fakeConfig: ConfigReport = {
  findings: [
    {
      option: 'ATA_PIIX',
      wanted: ['y'],
      have: 'm',
      severity: 'fatal',
      neededFor: 'root=/dev/sda',
      failure:
        'the IDE disk (PIIX3) is not found: "VFS: Cannot open root device" and "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)"',
    },
    {
      option: 'NET_9P_VIRTIO',
      wanted: ['y', 'm'],
      have: 'n',
      severity: 'broken',
      neededFor: 'the share shared_folder',
      failure: '"9pnet: Could not find request transport: virtio": the mount of the share fails',
    },
  ],
  boots: false,
}

export const fakeRecipes: readonly Recipe[] = [
  {
    name: 'tutorial',
    title: 'Tutorial',
    description: 'Tiny plus all that a Debian disk with systemd, gcc, strace and gdb uses.',
    needs: ['tiny'],
  },
  {
    name: 'debug',
    title: 'Debug',
    description:
      "On top of another recipe: KASAN, lock checking, the function tracer, debug information with gdb's scripts. Slow and large.",
    needs: [],
  },
]

const place = (
  id: SyscallPlace['id'],
  title: string,
  path: string,
  status: SyscallPlace['status'],
  line: number,
  sentence: string,
): SyscallPlace => ({ id, title, file: path, status, line, sentence })

export const fakeSyscall: SyscallReport = {
  name: 'memcpy',
  number: 451,
  nextFree: 452,
  complete: false,
  places: [
    place('table', '64-bit system-call table', 'arch/x86/entry/syscalls/syscall_64.tbl', 'done', 376, ''),
    place(
      'prototype',
      'prototype',
      'include/linux/syscalls.h',
      'inconsistent',
      1060,
      'it has 2 parameters, the definition (line 3) has 3',
    ),
    place('unistd', 'generic number', 'include/uapi/asm-generic/unistd.h', 'done', 889, ''),
    place(
      'fallback',
      'fallback to ENOSYS',
      'kernel/sys_ni.c',
      'missing',
      290,
      'add "COND_SYSCALL(memcpy);", so that a kernel without the call\'s source answers ENOSYS',
    ),
    place(
      'makefile',
      'Makefile',
      'kernel/Makefile',
      'missing',
      14,
      'add "obj-y += memcpy.o", or the source is never compiled',
    ),
  ],
  remarks: [
    {
      rule: 'leak',
      severity: 'bug',
      file: 'kernel/memcpy.c',
      line: 13,
      sentence:
        'buf is not freed on this path; every such call costs the kernel its memory for good: kfree(buf) before the return, or goto a label that does',
      excerpt: '\tif (copy_from_user(buf, src, len))\n\t\treturn -EFAULT;',
    },
  ],
}

export const fakePlan: ScaffoldPlan = {
  number: 451,
  edits: [],
  diff: `--- a/kernel/sys_ni.c
+++ b/kernel/sys_ni.c
@@ -288,4 +288,6 @@
 COND_SYSCALL(setuid16);
 
+COND_SYSCALL(memcpy);
+
 /* restartable sequence */
--- a/kernel/Makefile
+++ b/kernel/Makefile
@@ -12,3 +12,4 @@
 \t    notifier.o ksysfs.o cred.o reboot.o \\
 \t    async.o range.o smpboot.o ucount.o regset.o
+obj-y += memcpy.o
`,
}

export const fakeBuild: Build = {
  job: 1,
  folder: '/home/ana/linux',
  begun: 0,
  phase: { kind: 'phase', phase: 'compile', text: 'make' },
  progress: { kind: 'progress', done: 512, total: 1585, percent: 32, secondsLeft: 402, step: 'CC kernel/memcpy.o' },
  firstError: {
    kind: 'diagnostic',
    diagnostic: {
      severity: 'error',
      message: 'conflicting types for ‘sys_memcpy’',
      file: 'kernel/memcpy.c',
      line: 3,
      column: 1,
      excerpt: ['    3 | SYSCALL_DEFINE3(memcpy, void __user *, src, void __user *, dst,', '      | ^~~~~~~~~~~~~~~'],
      explanation:
        'the same function is declared in two ways: the prototype in include/linux/syscalls.h and the definition have to agree',
    },
  },
  lines: ['  CC      kernel/fork.o', '  CC      kernel/exit.o', '  CC      kernel/memcpy.o'],
}

export function fakeHistory(now: number): HistoryEntry[] {
  const folder = '/home/ana/linux'
  const minutes = (count: number) => now - count * 60_000
  return [
    { kind: 'boot', folder, at: minutes(60), id: 'tutorial', machine: 'Tutorial 6.1' },
    { kind: 'build', folder, at: minutes(62), outcome: 'built', seconds: 54 },
    {
      kind: 'build',
      folder,
      at: minutes(65),
      outcome: 'failed',
      seconds: 9,
      why: 'conflicting types for ‘sys_memcpy’',
    },
    {
      kind: 'boot',
      folder,
      at: minutes(26 * 60),
      id: 'tutorial',
      machine: 'Tutorial 6.1',
      seconds: 1312,
      end: { kind: 'exited', reason: 'power-off', code: 0 },
    },
    { kind: 'build', folder, at: minutes(27 * 60), outcome: 'built', seconds: 823 },
  ]
}
