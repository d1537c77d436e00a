/** Files inside a disk image, read-only. */

export interface TreeEntry {
  readonly name: string
  readonly kind: 'file' | 'directory' | 'symlink' | 'other'
}

export interface FileTree {
  /** Of a directory; undefined when there is none of that path. Without `.` and `..`. */
  list(path: string): Promise<TreeEntry[] | undefined>
  /** Bytes of a regular file, links followed; undefined when there is none. Throws UnreadableTree when it could not be read. */
  sizeOf(path: string): Promise<number | undefined>
  /** The whole of a regular file, links followed; undefined when there is none. Throws UnreadableTree when it is larger than `most` bytes. */
  read(path: string, most: number): Promise<Uint8Array | undefined>
}

/** The file system is damaged or has something that is not read here; the message is one sentence. */
export class UnreadableTree extends Error {}
