import { defaultGuest } from '../../src-main/host/default-guest/default-guest.ts'

/** Flags that boot the default guest, the same for Longmode and QEMU. */
export async function defaultGuestFlags(append = '', memory = '512M'): Promise<string[]> {
  const guest = await defaultGuest((text) => console.log(text))
  const words = [guest.append, append].filter((text) => text !== '').join(' ')
  return ['-nographic', '-m', memory, '-kernel', guest.kernel, '-initrd', guest.initrd, '-append', words]
}

/** A boot takes a minute; on a computer that has much else to do, many. */
export const BOOT_SECONDS = 900
export const PROMPT = /longmode:\S*# /

export function shareFlags(path: string, tag = 'shared_folder', model = 'none'): string[] {
  const folder = `local,id=fs1,path=${path.replaceAll(',', ',,')},security_model=${model}`
  return ['-fsdev', folder, '-device', `virtio-9p-pci,fsdev=fs1,mount_tag=${tag}`]
}
