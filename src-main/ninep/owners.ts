import type { HostFile, HostFolder, HostNode, HostStat } from './host-folder.ts'
import { MappedOwners } from './owners-mapped.ts'
import { PlainOwners } from './owners-plain.ts'

/** The meanings are QEMU's. */
export type SecurityModel = 'none' | 'mapped-xattr' | 'passthrough'

/** Who a new object belongs to. ~0 (4294967295) leaves an id to the host. */
export interface Creator {
  readonly uid: number
  readonly gid: number
}

/**
 * How the guest's owners, modes and special files are kept on the host. Every call is as its namesake in HostFolder, but speaks of what
 * the guest sees. What is created and then cannot be given its owner is removed again.
 */
export interface OwnerModel {
  /** Turns what the host said of `node` into what the guest sees. */
  translate(node: HostNode, stat: HostStat): number
  chmod(node: HostNode, mode: number): number
  chown(node: HostNode, uid: number, gid: number): number
  readlink(node: HostNode, stat: HostStat): Uint8Array | number
  create(dir: HostNode, name: Uint8Array, flags: number, mode: number, by: Creator): HostFile | number
  mkdir(dir: HostNode, name: Uint8Array, mode: number, by: Creator): number
  symlink(dir: HostNode, name: Uint8Array, target: Uint8Array, by: Creator): number
  mknod(dir: HostNode, name: Uint8Array, mode: number, major: number, minor: number, by: Creator): number
  /** The DT_* type of a directory entry, from the host's. */
  entryType(dir: HostFile, name: Uint8Array, hostType: number): number
  /** The host's name of an extended attribute, or an errno when the guest may not have it. */
  xattrName(name: string): string | number
  /** The guest's name of a host attribute, undefined when it is hidden. */
  guestXattrName(hostName: string): string | undefined
}

export function ownerModel(model: SecurityModel, folder: HostFolder): OwnerModel {
  return model === 'mapped-xattr' ? new MappedOwners(folder) : new PlainOwners(folder, model === 'none')
}
