/** Files of the host for a window that cannot see them: choosing, uploading, and what a dropped file is good for. */
import * as v from 'valibot'
import type { MachineConfig } from '../../machine/config.ts'
import { method } from '../rpc/definition.ts'
import { bytes, count, hostPath, line } from './common.ts'

/** What a chosen file is for: decides the dialog's title and filters. */
const purposes = [
  'kernel',
  'initrd',
  'disk',
  'folder',
  'kernel-tree',
  'any',
  'save-log',
  'save-disk',
  'symbols',
] as const
export type FilePurpose = (typeof purposes)[number]

export interface FolderEntry {
  readonly name: string
  readonly path: string
  readonly kind: 'folder' | 'file'
  /** Bytes; 0 for a folder. */
  readonly size: number
  /** Milliseconds since 1970. */
  readonly changed: number
}

export interface FolderListing {
  readonly path: string
  /** undefined at the root. */
  readonly parent?: string
  /** Folders first, both by name; hidden ones only when asked for. */
  readonly entries: readonly FolderEntry[]
  /** Entries left out because the folder has too many. */
  readonly more: number
}

/** What can become of a dropped file. `none`: Longmode cannot use it, and `description` says why. */
export type DropRole = 'kernel' | 'initrd' | 'disk' | 'read-only-disk' | 'cdrom' | 'share' | 'kernel-tree' | 'none'

export interface RecognisedFile {
  readonly path: string
  readonly name: string
  /** Bytes; 0 for a folder. */
  readonly size: number
  /** A stable short name: bzimage, vmlinux, cpio, qcow2, ext4, iso9660, folder, linux-tree, … or unknown. */
  readonly kind: string
  readonly role: DropRole
  /** What else it could be used as; the window offers the choice. */
  readonly roles: readonly DropRole[]
  /** Continues "this is …", in plain words. */
  readonly description: string
}

/** A machine made of several files, for the editor to show before anything is saved. */
export interface DropPlan {
  readonly files: readonly RecognisedFile[]
  /** undefined when nothing that was dropped makes a machine. Without a kernel: the built-in guest starts, or a kernel of a disk's own. */
  readonly machine?: MachineConfig
  /** What the user should know: a file that is not used, and why. */
  readonly notes: readonly string[]
}

/** Bytes of one uploaded piece, at most. */
export const UPLOAD_PIECE_BYTES = 1 << 20

export const files = {
  methods: {
    /** The system's dialog; undefined when the user chose nothing. In a browser there is none: use `list`. */
    choose: method(
      v.object({
        purpose: v.picklist(purposes),
        multiple: v.exactOptional(v.boolean()),
        /** For the save purposes: the name that is proposed. */
        name: v.exactOptional(line),
      }),
    ).returns<readonly string[] | undefined>(),
    /** A folder of the host for the window's own picker; an empty path is the home folder. */
    list: method(
      v.object({ path: v.pipe(v.string(), v.maxLength(4096)), hidden: v.boolean() }),
    ).returns<FolderListing>(),
    /** What files and folders are. */
    recognise: method(v.pipe(v.array(hostPath), v.maxLength(50))).returns<readonly RecognisedFile[]>(),
    /** What machine they make together; `roles` overrides the role of the file with the same index. */
    plan: method(
      v.pipe(
        v.array(
          v.object({
            path: hostPath,
            role: v.exactOptional(
              v.picklist(['kernel', 'initrd', 'disk', 'read-only-disk', 'cdrom', 'share', 'kernel-tree', 'none']),
            ),
          }),
        ),
        v.maxLength(50),
      ),
    ).returns<DropPlan>(),
    /**
     * A file dropped on a browser has no path: it is sent in pieces of at most UPLOAD_PIECE_BYTES, in order, each after the answer
     * to the one before, and lies in Longmode's data folder afterwards. An upload ends with its window.
     */
    beginUpload: method(v.object({ name: v.pipe(line, v.nonEmpty()), size: count })).returns<number>(),
    uploadPiece: method(count, bytes).returns<void>(),
    /** The path of the uploaded file. */
    finishUpload: method(count).returns<string>(),
    cancelUpload: method(count).returns<void>(),
  },
  events: {},
}
