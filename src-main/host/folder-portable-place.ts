import type { HostFile, HostNode } from '../ninep/host-folder.ts'

/** Where something is: shared by all nodes of one path, so that a rename by the guest moves them all. */
export class Place {
  parent: Place | undefined
  name: string
  readonly children = new Map<string, Place>()
  /** Nodes here; a place without users and children is forgotten. */
  users = 0
  /** Removed or overwritten: its nodes have no path any more. */
  gone = false

  constructor(parent: Place | undefined, name: string) {
    this.parent = parent
    this.name = name
  }

  child(name: string): Place {
    let place = this.children.get(name)
    if (place === undefined) {
      place = new Place(this, name)
      this.children.set(name, place)
    }
    return place
  }

  leave(): void {
    this.users--
    this.forgetIfUnused()
  }

  /** The entry `name` of this directory is no more. */
  drop(name: string): void {
    const place = this.children.get(name)
    if (place === undefined) return
    place.gone = true
    this.children.delete(name)
  }

  move(from: string, to: Place, toName: string): void {
    const place = this.children.get(from)
    if (to === this && toName === from) return
    to.drop(toName)
    if (place === undefined) return
    this.children.delete(from)
    place.parent = to
    place.name = toName
    to.children.set(toName, place)
  }

  /** Names from the root down; undefined when this or something above it is gone. */
  names(): string[] | undefined {
    if (this.parent === undefined) return []
    const above = this.gone ? undefined : this.parent.names()
    above?.push(this.name)
    return above
  }

  private forgetIfUnused(): void {
    if (this.users > 0 || this.children.size > 0 || this.parent === undefined) return
    const { parent } = this
    if (parent.children.get(this.name) === this) parent.children.delete(this.name)
    parent.forgetIfUnused()
  }
}

export interface PortableIdentity {
  readonly dev: bigint
  readonly ino: bigint
  /** S_IFMT part of the mode. */
  readonly type: number
}

export class PortableNode implements HostNode {
  readonly hostNode = true
  readonly place: Place
  readonly identity: PortableIdentity
  readonly file: PortableFile | undefined

  constructor(place: Place, identity: PortableIdentity, file?: PortableFile) {
    this.place = place
    this.identity = identity
    this.file = file
    place.users++
  }
}

export class PortableFile implements HostFile {
  readonly hostFile = true
  /** -1 for a directory where the host opens none (Windows). */
  readonly fd: number
  readonly place: Place
  readonly identity: PortableIdentity
  readonly writable: boolean
  /** A directory's entries as they were when its listing began. */
  listing: readonly string[] | undefined

  constructor(fd: number, place: Place, identity: PortableIdentity, writable: boolean) {
    this.fd = fd
    this.place = place
    this.identity = identity
    this.writable = writable
    place.users++
  }
}
