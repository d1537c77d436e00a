import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { BootPlan } from '../../contract/kernel-tree.ts'
import { readRecipes, withNeeded } from './change.ts'
import { checkDotConfig } from './check.ts'
import { DotConfig } from './dot-config.ts'

const tutorial: BootPlan = {
  append: 'root=/dev/sda rw console=ttyS0 loglevel=6',
  disks: [{ bus: 'ide', media: 'disk' }],
  shares: [{ mountTag: 'shared_folder' }],
}

const recipes = readRecipes()
/** The fragments of a recipe as one text; what Kconfig selects by itself is said as well. */
const recipeText = (name: string) =>
  withNeeded([name], recipes)
    .map((recipe) => readFileSync(recipe.path, 'utf8'))
    .join('') + 'CONFIG_X86_LOCAL_APIC=y\nCONFIG_X86_IO_APIC=y\n'

const without = (text: string, option: string) => text.replace(new RegExp(`^CONFIG_${option}=y$`, 'm'), '')
const asModule = (text: string, option: string) => text.replace(`CONFIG_${option}=y`, `CONFIG_${option}=m`)
const finding = (text: string, option: string, plan = tutorial) =>
  checkDotConfig(text, plan, 'systemd').findings.find((each) => each.option === option)

describe('a .config', () => {
  it('is read with its unset options', () => {
    const config = new DotConfig('CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C="x y"\nCONFIG_D=m\n')
    expect(['A', 'B', 'C', 'D', 'E'].map((option) => config.get(option))).toEqual(['y', 'n', '"x y"', 'm', 'n'])
  })

  it('made by the tutorial recipe has what the tutorial needs', () => {
    expect(checkDotConfig(recipeText('tutorial'), tutorial, 'systemd')).toEqual({ findings: [], boots: true })
    expect(checkDotConfig(recipeText('tiny'), tutorial, 'busybox')).toEqual({ findings: [], boots: true })
    expect(checkDotConfig(recipeText('tiny'), tutorial, 'systemd').boots).toBe(false)
  })

  it.each([
    ['ATA_PIIX', 'fatal', 'Unable to mount root fs'],
    ['EXT4_FS', 'fatal', 'unknown-block(8,0)'],
    ['SERIAL_8250_CONSOLE', 'fatal', 'stays dark'],
    ['DEVTMPFS_MOUNT', 'fatal', 'unable to open an initial console'],
    ['BINFMT_ELF', 'fatal', 'No working init found'],
    ['9P_FS', 'broken', "unknown filesystem type '9p'"],
    ['NET_9P_VIRTIO', 'broken', 'Could not find request transport: virtio'],
    ['VIRTIO_PCI', 'broken', 'no channels available'],
    ['CGROUPS', 'fatal', 'systemd stops'],
    ['PRINTK', 'broken', 'prints nothing'],
    ['BASE_FULL', 'advice', 'Failed to start systemd-sysctl'],
    ['IA32_EMULATION', 'advice', 'Exec format error'],
  ] as const)('without %s: %s, "%s"', (option, severity, failure) => {
    const report = checkDotConfig(without(recipeText('tutorial'), option), tutorial, 'systemd')
    expect(report.findings).toMatchObject([
      { option, severity, have: 'n', failure: expect.stringContaining(failure) as string },
    ])
    expect(report.boots).toBe(severity === 'advice')
  })

  it('with a driver as a module boots only with an initrd', () => {
    const text = asModule(recipeText('tutorial'), 'EXT4_FS')
    expect(finding(text, 'EXT4_FS')).toMatchObject({ severity: 'fatal', have: 'm', wanted: ['y'] })
    expect(finding(text, 'EXT4_FS', { ...tutorial, initrd: 'initrd.gz' })).toBeUndefined()
    const share = asModule(recipeText('tutorial'), '9P_FS')
    expect(finding(share, '9P_FS')).toMatchObject({
      severity: 'broken',
      failure: expect.stringContaining('make modules_install') as string,
    })
  })

  it('asks only for what the plan has', () => {
    const text = ['ATA_PIIX', 'NET_9P_VIRTIO', 'SERIAL_8250_CONSOLE'].reduce(without, recipeText('tutorial'))
    const plan: BootPlan = { append: 'root=/dev/vda', disks: [{ bus: 'virtio', media: 'disk' }], shares: [] }
    expect(checkDotConfig(text, plan, 'systemd').findings).toEqual([])
    expect(finding(without(text, 'VIRTIO_BLK'), 'VIRTIO_BLK', plan)).toMatchObject({
      severity: 'fatal',
      neededFor: 'root=/dev/vda',
    })
  })

  it('takes the last root= and advises about addresses', () => {
    const kaslr = recipeText('tutorial').replace('CONFIG_RANDOMIZE_BASE=n', 'CONFIG_RANDOMIZE_BASE=y')
    expect(finding(kaslr, 'RANDOMIZE_BASE')?.severity).toBe('advice')
    expect(finding(kaslr, 'RANDOMIZE_BASE', { ...tutorial, append: `${tutorial.append} nokaslr` })).toBeUndefined()
    const plan = { ...tutorial, disks: [], append: 'root=/dev/sda root=/dev/vda' }
    expect(finding(without(recipeText('tutorial'), 'ATA_PIIX'), 'ATA_PIIX', plan)).toBeUndefined()
  })
})

describe('recipes', () => {
  it('stand in resources with title, description and what they need', () => {
    expect(recipes.map(({ name }) => name)).toEqual(['tiny', 'tutorial', 'debug'])
    expect(
      recipes.every(
        ({ title, description, path: file }) => title !== '' && description !== '' && path.isAbsolute(file),
      ),
    ).toBe(true)
    expect(withNeeded(['debug', 'tutorial'], recipes).map(({ name }) => name)).toEqual(['debug', 'tiny', 'tutorial'])
    expect(() => withNeeded(['huge'], recipes)).toThrow('there is no recipe "huge"; there are: tiny, tutorial, debug')
  })
})
