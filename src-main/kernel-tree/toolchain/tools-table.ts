/** What a kernel build runs and includes (Documentation/process/changes.rst), and the packages that bring it. */
import type { Distribution } from '../../contract/kernel-tree.ts'
import type { DotConfig } from '../config/dot-config.ts'

export interface Wanted {
  readonly llvm: boolean
  readonly wrapper?: string
  /** undefined: the tree has no configuration yet. */
  readonly config?: DotConfig
}

export interface Tool {
  readonly name: string
  readonly purpose: string
  /** Programs that have to be on the PATH; the first one is asked for its version. */
  readonly programs: readonly string[]
  /** A C header that the host's compiler has to find. */
  readonly header?: string
  readonly packages: Readonly<Record<Exclude<Distribution, 'other'>, string>>
  /** `no`: not for this build. */
  readonly use: (wanted: Wanted) => 'required' | 'optional' | 'no'
}

const always = () => 'required' as const
const isOn = (config: DotConfig | undefined, ...options: readonly string[]) =>
  config !== undefined && options.some((option) => config.get(option) === 'y')
const same = (name: string) => ({ debian: name, fedora: name, arch: name })

export const tools: readonly Tool[] = [
  { name: 'make', purpose: 'runs the build', programs: ['make'], packages: same('make'), use: always },
  {
    name: 'gcc',
    purpose: 'compiles the kernel',
    programs: ['gcc'],
    packages: same('gcc'),
    use: ({ llvm }) => (llvm ? 'no' : 'required'),
  },
  {
    name: 'binutils',
    purpose: 'links it',
    programs: ['ld', 'as', 'ar', 'nm', 'objcopy'],
    packages: same('binutils'),
    use: ({ llvm }) => (llvm ? 'no' : 'required'),
  },
  {
    name: 'clang',
    purpose: 'compiles the kernel',
    programs: ['clang'],
    packages: same('clang'),
    use: ({ llvm }) => (llvm ? 'required' : 'no'),
  },
  {
    name: 'lld',
    purpose: 'links it',
    programs: ['ld.lld'],
    packages: same('lld'),
    use: ({ llvm }) => (llvm ? 'required' : 'no'),
  },
  {
    name: 'llvm',
    purpose: 'archives and copies objects',
    programs: ['llvm-ar', 'llvm-nm', 'llvm-objcopy'],
    packages: same('llvm'),
    use: ({ llvm }) => (llvm ? 'required' : 'no'),
  },
  {
    name: 'C library',
    purpose: "the build's own helper programs",
    programs: [],
    header: 'stdio.h',
    packages: { debian: 'libc6-dev', fedora: 'glibc-devel', arch: 'glibc' },
    use: always,
  },
  { name: 'flex', purpose: 'reads Kconfig', programs: ['flex'], packages: same('flex'), use: always },
  { name: 'bison', purpose: 'reads Kconfig', programs: ['bison'], packages: same('bison'), use: always },
  { name: 'bc', purpose: 'computes time constants', programs: ['bc'], packages: same('bc'), use: always },
  { name: 'perl', purpose: 'some scripts of the build', programs: ['perl'], packages: same('perl'), use: always },
  { name: 'gzip', purpose: 'compresses the image', programs: ['gzip'], packages: same('gzip'), use: always },
  {
    name: 'cpio',
    purpose: 'packs the initramfs',
    programs: ['cpio'],
    packages: same('cpio'),
    use: ({ config }) => (isOn(config, 'IKHEADERS') ? 'required' : 'optional'),
  },
  {
    name: 'libelf',
    purpose: 'objtool, for stack traces',
    programs: [],
    header: 'gelf.h',
    packages: { debian: 'libelf-dev', fedora: 'elfutils-libelf-devel', arch: 'libelf' },
    use: ({ config }) => (isOn(config, 'OBJTOOL', 'UNWINDER_ORC', 'STACK_VALIDATION') ? 'required' : 'optional'),
  },
  {
    name: 'openssl',
    purpose: 'keys and signatures of modules',
    programs: ['openssl'],
    header: 'openssl/bio.h',
    packages: { debian: 'libssl-dev openssl', fedora: 'openssl-devel openssl', arch: 'openssl' },
    use: ({ config }) => (isOn(config, 'MODULE_SIG', 'SYSTEM_TRUSTED_KEYRING') ? 'required' : 'optional'),
  },
  {
    name: 'pahole',
    purpose: 'type information (BTF)',
    programs: ['pahole'],
    packages: { debian: 'dwarves', fedora: 'dwarves', arch: 'pahole' },
    use: ({ config }) => (isOn(config, 'DEBUG_INFO_BTF') ? 'required' : 'no'),
  },
  { name: 'kmod', purpose: 'installs modules', programs: ['depmod'], packages: same('kmod'), use: () => 'optional' },
  {
    name: 'sparse',
    purpose: 'checks __user and its like (C=1)',
    programs: ['sparse'],
    packages: same('sparse'),
    use: () => 'optional',
  },
  {
    name: 'ccache',
    purpose: 'keeps compiled objects',
    programs: ['ccache'],
    packages: same('ccache'),
    use: ({ wrapper }) => (wrapper === 'ccache' ? 'required' : 'optional'),
  },
  {
    name: 'distcc',
    purpose: 'compiles on other machines',
    programs: ['distcc'],
    packages: same('distcc'),
    use: ({ wrapper }) => (wrapper === 'distcc' ? 'required' : 'no'),
  },
  {
    name: 'icecream',
    purpose: 'compiles on other machines',
    programs: ['icecc'],
    packages: { debian: 'icecc', fedora: 'icecream', arch: 'icecream' },
    use: ({ wrapper }) => (wrapper === 'icecc' ? 'required' : 'no'),
  },
]

export const installCommands: Readonly<Record<Exclude<Distribution, 'other'>, string>> = {
  debian: 'apt-get install -y',
  fedora: 'dnf install -y',
  arch: 'pacman -S --needed --noconfirm',
}
