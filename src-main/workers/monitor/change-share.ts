import path from 'node:path'
import type { ShareConfig } from '../../machine/config.ts'

type Exchange = (share: number, folder: { path: string; readOnly: boolean }) => Promise<string | undefined>

/** The monitor's `change_share`; `rest` is what follows the name: a mount tag and a folder, meant from where the program was started. */
export async function changeShare(shares: readonly ShareConfig[], rest: string, exchange: Exchange): Promise<string> {
  const [, tag, folder] = /^(\S+)\s+(.+)$/.exec(rest) ?? []
  if (tag === undefined || folder === undefined) return 'a mount tag and a folder are wanted: change_share TAG DIR'
  const share = shares.findIndex(({ mountTag }) => mountTag === tag)
  if (share < 0) {
    const known = shares.map(({ mountTag }) => mountTag).join(', ')
    return `no share has the mount tag ${tag}; ${known === '' ? 'the machine has none' : `there are: ${known}`}`
  }
  const refused = await exchange(share, { path: path.resolve(folder), readOnly: shares[share]!.readOnly })
  return refused ?? `the guest gets it when it mounts ${tag} again`
}
