/** Disk images as files: what is in them, new ones, copies, and overlays that protect them. */
import * as v from 'valibot'
import { event, method } from '../rpc/definition.ts'
import { count, hostPath, jobId, type JobId, type Progress } from './common.ts'

export type ImageFormat = 'raw' | 'qcow2'

export interface Partition {
  readonly number: number
  /** Bytes from the disk's start, and length in bytes. */
  readonly start: number
  readonly length: number
  /** In plain words: "Linux", "EFI system", … */
  readonly type: string
  /** ext4, vfat, …; undefined when it has none that is known. */
  readonly fileSystem?: string
  readonly label?: string
}

export interface ImageInfo {
  readonly path: string
  readonly name: string
  readonly format: ImageFormat
  /** Bytes that the guest sees, and bytes that the file takes on the host. */
  readonly size: number
  readonly allocated: number
  readonly writable: boolean
  /** A machine, or another program, has it open for writing. */
  readonly inUse: boolean
  readonly table: 'none' | 'mbr' | 'gpt'
  readonly partitions: readonly Partition[]
  /** Of an image without a partition table. */
  readonly fileSystem?: string
  readonly label?: string
  /** qcow2: the image below this one. */
  readonly backingFile?: string
  /** The overlay that protects this image, when it has one made by `protect`. */
  readonly overlay?: string
}

/** A kernel inside an image, as its boot loader's menu (or its file name) calls it. */
export interface BootChoice {
  readonly title: string
  readonly source: 'GRUB' | 'systemd-boot' | 'the files themselves'
  /** Its path inside the image. */
  readonly kernel: string
  readonly append: string
}

/** A kernel that was copied out of an image, and what to start it with. */
export interface BootFiles {
  readonly kernel: string
  readonly initrd?: string
  readonly append: string
}

const size = v.pipe(v.number(), v.safeInteger(), v.minValue(512), v.multipleOf(512, 'a disk is whole 512-byte sectors'))
const format = v.picklist(['raw', 'qcow2'])

export const images = {
  methods: {
    info: method(hostPath).returns<ImageInfo>(),
    /** An empty, sparse image. Never overwrites a file. */
    create: method(v.object({ path: hostPath, format, size })).returns<ImageInfo>(),
    /** A job: `progress`, then `finished`. Never overwrites a file. */
    convert: method(v.object({ from: hostPath, to: hostPath, format })).returns<JobId>(),
    cancel: method(jobId).returns<void>(),
    /** An overlay that takes all writes from now on; its path is to be used instead of the image's. */
    protect: method(hostPath).returns<string>(),
    /** Writes what an overlay holds into the image below; the overlay is empty afterwards. A job. */
    commit: method(hostPath).returns<JobId>(),
    /** Forgets what an overlay holds. */
    discard: method(hostPath).returns<void>(),
    /** Faults of a qcow2 image in words; empty when it is sound. */
    check: method(hostPath).returns<readonly string[]>(),
    /** What the image's own boot loader would start, its default first. */
    bootChoices: method(hostPath).returns<readonly BootChoice[]>(),
    /** Copies the kernel and initrd of the choice with this position out of the image; again: replaces the copies. */
    takeBootFiles: method(hostPath, v.pipe(count, v.maxValue(999))).returns<BootFiles>(),
  },
  events: {
    progress: event<{ readonly job: JobId; readonly progress: Progress }>(),
    /** `sentence` says why it did not work, when it did not. */
    finished: event<{ readonly job: JobId; readonly sentence?: string }>(),
  },
}
