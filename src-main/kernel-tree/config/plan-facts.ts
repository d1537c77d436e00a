/** What a boot plan says that the configuration has to know. */
import type { BootPlan, Userland } from '../../contract/kernel-tree.ts'

export interface PlanFacts {
  readonly userland: Userland
  /** The words of `root=`; undefined when there is none (an initrd decides, or nobody). */
  readonly root?: string
  /** The root file system is mounted by the kernel itself, so its drivers cannot be modules. */
  readonly kernelMountsRoot: boolean
  readonly rootType?: string
  readonly serialConsole?: string
  readonly initrd: boolean
  readonly ideDisk: boolean
  readonly virtioDisk: boolean
  readonly cdrom: boolean
  readonly share?: string
  readonly entropy: boolean
  readonly kaslrOff: boolean
}

export function factsOf(plan: BootPlan, userland: Userland): PlanFacts {
  const words = plan.append.split(/\s+/)
  /** The kernel takes the last one. */
  const value = (key: string) => words.findLast((word) => word.startsWith(`${key}=`))?.slice(key.length + 1)
  const root = value('root')
  const rootType = value('rootfstype')
  const serialConsole = words.findLast((word) => /^console=ttyS\d/.test(word))
  const initrd = plan.initrd !== undefined
  const disk = (bus: 'ide' | 'virtio') => plan.disks.some((each) => each.bus === bus && each.media === 'disk')
  const share = plan.shares[0]?.mountTag
  return {
    userland,
    ...(root === undefined ? {} : { root }),
    ...(rootType === undefined ? {} : { rootType }),
    ...(serialConsole === undefined ? {} : { serialConsole }),
    ...(share === undefined ? {} : { share }),
    kernelMountsRoot: root !== undefined && !initrd,
    initrd,
    ideDisk: disk('ide'),
    virtioDisk: disk('virtio'),
    cdrom: plan.disks.some(({ media }) => media === 'cdrom'),
    entropy: plan.entropy === true,
    kaslrOff: words.includes('nokaslr'),
  }
}
