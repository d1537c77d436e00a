/** Programs of a Debian: openssl on the bench's own disk, perl, python3 and gcc in the tutorial's Debian, which is the second disk. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { debianDisk } from '../long/tutorial/debian-disk.ts'
import { librariesOf } from './libraries.ts'
import type { Workload } from './workloads.ts'

/** Where the second disk is mounted. */
const DEBIAN = '/debian'
const inDebian = (command: string) => `chroot ${DEBIAN} ${command}`

/** A file of 500 lines with work for an optimizer: functions that call the one before them. */
function sourceText(): string {
  const lines = ['static unsigned table[64];', 'static unsigned work0(unsigned a, unsigned b) { return a * b; }']
  for (let n = 1; n <= 83; n++)
    lines.push(
      `unsigned work${n}(unsigned a, unsigned b)`,
      '{',
      `    for (unsigned i = 0; i < (a & ${n + 7}u); i++)`,
      `        b = (b << ${(n % 7) + 1} | b >> ${31 - (n % 7)}) ^ table[(a + i * ${n + 3}u) & 63];`,
      `    return work${n - 1}(b, a) + a / ${n + 2}u;`,
      '}',
    )
  return `${lines.join('\n')}\n`
}

/** What the bench's own disk holds at first: a folder for mke2fs -d. */
export function diskFolder(scratch: string): string {
  const folder = path.join(scratch, 'disk')
  mkdirSync(path.join(folder, 'lib'), { recursive: true })
  const openssl = execFileSync('sh', ['-c', 'command -v openssl'], { encoding: 'utf8' }).trim()
  copyFileSync(openssl, path.join(folder, 'openssl'))
  for (const library of librariesOf(openssl)) copyFileSync(library, path.join(folder, 'lib', path.basename(library)))
  writeFileSync(path.join(folder, 'program.c'), sourceText())
  return folder
}

/** The second disk as a flag, or why there is none. */
export function secondDisk(): { readonly flags: readonly string[]; readonly missing?: string } {
  try {
    return { flags: ['-drive', `file=${debianDisk()},format=raw,index=1,media=disk,snapshot=on`] }
  } catch (error) {
    return { flags: [], missing: error instanceof Error ? error.message : String(error) }
  }
}

/** Run once after the boot, where there is a second disk. */
export const programPreparation =
  'grep -q "^/dev/sda /mnt" /proc/mounts && other=sdb || other=sda; ' +
  `mkdir ${DEBIAN} && mount /dev/$other ${DEBIAN} && cp /mnt/program.c ${DEBIAN}/tmp/`

const openssl = (what: string): Workload => ({
  name: `openssl speed, ${what}`,
  group: 'programs',
  command: `LD_LIBRARY_PATH=/mnt/lib /mnt/openssl speed -seconds 2 -bytes 8192 -evp ${what} 2>/dev/null`,
  // the last line: the cipher's name, and thousands of bytes a second
  rate: /\s([\d.]+)k\s*$/,
})
const PERL = 'my $s = 0; for my $i (1 .. 1500000) { $s = ($s * 31 + $i) % 1000003 } print "result $s\\n"'
const PYTHON =
  'import functools; print("result", functools.reduce(lambda x, i: (x * 31 + i) % 1000003, range(700000), 0))'

export const programRows: readonly Workload[] = [
  ...['sha256', 'aes-128-cbc'].map(openssl),
  { name: 'perl loop', group: 'programs', command: inDebian(`perl -e '${PERL}'`), warm: true },
  { name: 'python3 loop', group: 'programs', command: inDebian(`python3 -c '${PYTHON}'`), warm: true },
  {
    name: 'gcc -O2, 500 lines',
    group: 'programs',
    command: inDebian('gcc -O2 -c /tmp/program.c -o /tmp/program.o'),
    warm: true,
  },
]
