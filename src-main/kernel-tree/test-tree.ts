/** Small kernel trees for tests: the few files that the workbench reads, laid out as in 5.6, 6.1 and 6.16. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { TABLE_32, TABLE_64 } from './syscall/table.ts'
import { COMPAT_PROTOTYPES, FALLBACKS, PROTOTYPES, UNISTD } from './syscall/facts.ts'

export interface TreeLayout {
  readonly version: readonly [major: number, minor: number, patch: number]
  /** The last calls of the tables: name -> number. */
  readonly calls: Readonly<Record<string, number>>
  /** Entry points carry the prefix of their stubs. */
  readonly stubs: boolean
  /** Folders are listed in Kbuild (since 5.19) or in the Makefile. */
  readonly foldersIn: 'Kbuild' | 'Makefile'
}

export const layouts = {
  'v5.6': { version: [5, 6, 0], calls: { openat2: 437, pidfd_getfd: 438 }, stubs: true, foldersIn: 'Makefile' },
  'v6.1': {
    version: [6, 1, 192],
    calls: { futex_waitv: 449, set_mempolicy_home_node: 450 },
    stubs: false,
    foldersIn: 'Kbuild',
  },
  'v6.16': {
    version: [6, 16, 0],
    calls: { open_tree_attr: 467, file_getattr: 468, file_setattr: 469 },
    stubs: false,
    foldersIn: 'Kbuild',
  },
} as const satisfies Record<string, TreeLayout>

function tables({ calls, stubs }: TreeLayout): Record<string, string> {
  const prefix = stubs ? '__x64_' : ''
  const rows64 = Object.entries({ read: 0, write: 1, ...calls }).map(
    ([name, number]) => `${number}\tcommon\t${name}\t\t${prefix}sys_${name}`,
  )
  const rows32 = Object.entries(calls).map(
    ([name, number]) => `${number}\ti386\t${name}\t\tsys_${name}${stubs ? `\t\t__ia32_sys_${name}` : ''}`,
  )
  return {
    [TABLE_64]: [
      '# numbers of 64-bit programs',
      ...rows64,
      '',
      '# x32 from here on',
      `512\tx32\trt_sigaction\t\t${prefix}compat_sys_rt_sigaction`,
      `547\tx32\tpwritev2\t\t${prefix}compat_sys_pwritev64v2`,
      '# the end of the x32 range',
      '',
    ].join('\n'),
    [TABLE_32]: ['# numbers of 32-bit programs', ...rows32, ''].join('\n'),
  }
}

function headers({ calls }: TreeLayout): Record<string, string> {
  const last = Math.max(...Object.values(calls))
  const numbers = Object.entries(calls).flatMap(([name, number]) => [
    `#define __NR_${name} ${number}`,
    `__SYSCALL(__NR_${name}, sys_${name})`,
    '',
  ])
  const prototypes = Object.keys(calls).map(
    (name) => `asmlinkage long sys_${name}(int fd,\n\t\t\t   unsigned int flags);`,
  )
  return {
    [UNISTD]: [
      '#define __NR_io_setup 0',
      '',
      ...numbers,
      '#undef __NR_syscalls',
      `#define __NR_syscalls ${last + 1}`,
      '',
      '/* aliases */',
      '#define __NR_mmap __NR3264_mmap',
      '',
    ].join('\n'),
    [PROTOTYPES]: [
      '#ifndef CONFIG_ARCH_HAS_SYSCALL_WRAPPER',
      ...prototypes,
      '',
      '',
      '/*',
      ' * Not a real system call, but a placeholder for those that are absent',
      ' */',
      'asmlinkage long sys_ni_syscall(void);',
      '',
      '#endif',
      '',
      'int ksys_fchown(unsigned int fd, int user);',
      '',
    ].join('\n'),
    [COMPAT_PROTOTYPES]: [
      'asmlinkage long compat_sys_io_setup(unsigned int nr_reqs, u32 __user *ctx32p);',
      '',
      '#define compat_ptr(x) (x)',
      '',
    ].join('\n'),
  }
}

function sources({ version: [major, minor, patch], foldersIn }: TreeLayout): Record<string, string> {
  const folders = 'kernel/ mm/ fs/'
  return {
    Makefile: [
      `VERSION = ${major}`,
      `PATCHLEVEL = ${minor}`,
      `SUBLEVEL = ${patch}`,
      'EXTRAVERSION =',
      'NAME = Fixture',
      ...(foldersIn === 'Makefile' ? [`core-y += ${folders}`] : []),
      '',
    ].join('\n'),
    Kbuild:
      foldersIn === 'Kbuild'
        ? folders
            .split(' ')
            .map((folder) => `obj-y\t\t\t+= ${folder}\n`)
            .join('')
        : 'always-y += headers\n',
    'scripts/Kbuild.include': '# helpers\n',
    [FALLBACKS]: [
      'COND_SYSCALL(sysfs);',
      'COND_SYSCALL(setuid16);',
      '',
      '/* restartable sequence */',
      'COND_SYSCALL(rseq);',
      '',
    ].join('\n'),
    'kernel/Makefile': [
      'obj-y     = fork.o exit.o \\',
      '\t    signal.o sys.o',
      '',
      'obj-$(CONFIG_MODULES) += kmod.o',
      'obj-$(CONFIG_AUDIT) += audit.o',
      '',
    ].join('\n'),
    'kernel/sys.c': '#include <linux/syscalls.h>\n\nSYSCALL_DEFINE1(umask, int, mask)\n{\n\treturn mask;\n}\n',
  }
}

/** Writes the tree into a new folder of the system's scratch folder. */
export function makeTree(layout: TreeLayout, more: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'longmode-tree-'))
  for (const [file, text] of Object.entries({ ...tables(layout), ...headers(layout), ...sources(layout), ...more })) {
    const target = path.join(folder, file)
    mkdirSync(path.dirname(target), { recursive: true })
    writeFileSync(target, text)
  }
  return folder
}
