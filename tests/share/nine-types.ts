/** What the messages carry, as the test client gives it. */
export type Name = string | Uint8Array

export interface Qid {
  readonly type: number
  readonly version: number
  readonly path: bigint
}

export interface Attributes {
  readonly qid: Qid
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly nlink: number
  readonly rdev: number
  readonly size: number
  readonly blksize: number
  readonly blocks: number
  readonly atime: [number, number]
  readonly mtime: [number, number]
  readonly ctime: [number, number]
}

export interface Entry {
  readonly qid: Qid
  readonly offset: bigint
  readonly type: number
  readonly name: Buffer
}

export interface SetAttributes {
  mode?: number
  uid?: number
  gid?: number
  size?: number
  atime?: [number, number] | 'now'
  mtime?: [number, number] | 'now'
  ctime?: boolean
}

export interface LockAnswer {
  readonly type: number
  readonly start: number
  readonly length: number
  readonly pid: number
}
